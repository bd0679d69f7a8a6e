package peer;

import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.StreamPartitioner;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * The job of Polku's `unify` role as a program of Kafka Streams: events in, timelines out. Usage: Peer BOOTSTRAP NAMESPACE STATE-DIRECTORY
 *
 * The topics are Polku's own, with their partitions. As in Polku, what stays in its partition costs no message.
 */
public final class Peer {
    static final String EVENT = "polku.event";
    static final String LINK = "polku.identity.link";
    static final String ASSIGNMENT = "polku.identity.assignment";
    static final String TIMELINE_INPUT = "polku.timeline.input";
    static final String TIMELINE = "polku.timeline";
    static final String CASE_INPUT = "polku.case.input";

    public static void main(String[] arguments) throws InterruptedException {
        String bootstrap = arguments[0];
        String namespace = arguments[1];
        KafkaStreams streams = new KafkaStreams(topology(namespace), settings(bootstrap, namespace, arguments[2]));
        CountDownLatch stopped = new CountDownLatch(1);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            stopped.countDown();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
        stopped.await();
        System.exit(1);
    }

    private static Properties settings(String bootstrap, String namespace, String state) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, namespace + "peer");
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, state);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
        settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        return settings;
    }

    static Topology topology(String namespace) {
        ByteArrayDeserializer read = new ByteArrayDeserializer();
        ByteArraySerializer write = new ByteArraySerializer();
        StreamPartitioner<byte[], byte[]> byKey = (topic, key, value, partitions) -> Optional.of(Set.of(Token.partition(key, partitions)));
        Topology topology = new Topology();
        topology.addSource("event", read, read, namespace + EVENT);
        topology.addSource("assignment", read, read, namespace + ASSIGNMENT);
        topology.addSource("timeline-input", read, read, namespace + TIMELINE_INPUT);
        topology.addProcessor("unify", () -> new Unify(namespace), "event", "assignment", "timeline-input");
        for (String store : Unify.STORES) {
            topology.addStateStore(store(store), "unify");
        }
        topology.addSink("to-link", namespace + LINK, write, write, (topic, key, value, partitions) -> Optional.of(Set.of(0)), "unify");
        topology.addSource("link", read, read, namespace + LINK);
        topology.addProcessor("identify", Identify::new, "link");
        for (String store : Identify.STORES) {
            topology.addStateStore(store(store), "identify");
        }
        topology.addSink("to-assignment", namespace + ASSIGNMENT, write, write, byKey, "identify");
        topology.addSink("to-timeline-input", namespace + TIMELINE_INPUT, write, write, byKey, "unify", "identify");
        topology.addSink("to-timeline", namespace + TIMELINE, write, write, byKey, "unify");
        topology.addSink("to-case-input", namespace + CASE_INPUT, write, write, byKey, "unify");
        return topology;
    }

    private static StoreBuilder<KeyValueStore<byte[], byte[]>> store(String name) {
        return Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(name), Serdes.ByteArray(), Serdes.ByteArray()).withCachingEnabled();
    }
}
