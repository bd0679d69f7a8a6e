package peer;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * Resolve and timeline: takes each event once, reports its set once, sends its digest to the profile of its anchor, and keeps the
 * digests of profiles, which follow later decisions. Wherever a digest comes to rest its matter's case is told, if it should hear of it.
 */
final class Unify implements Processor<byte[], byte[], byte[], byte[]> {
    static final List<String> STORES = List.of("seen", "reported", "owner", "forward", "digest");
    static final byte DIGEST = 0;
    static final byte MOVE = 1;

    private static final byte[] YES = {1};
    private static final int PARTITIONS_UNKNOWN = -1;

    private final String namespace;
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<byte[], byte[]> seen;
    private KeyValueStore<byte[], byte[]> reported;
    private KeyValueStore<byte[], byte[]> owner;
    private KeyValueStore<byte[], byte[]> forward;
    private KeyValueStore<byte[], byte[]> digest;
    private final int partitions = Integer.getInteger("partitions");
    private int partition = PARTITIONS_UNKNOWN;

    Unify(String namespace) {
        this.namespace = namespace;
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
        this.context = context;
        partition = context.taskId().partition();
        seen = context.getStateStore("seen");
        reported = context.getStateStore("reported");
        owner = context.getStateStore("owner");
        forward = context.getStateStore("forward");
        digest = context.getStateStore("digest");
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        String topic = context.recordMetadata().orElseThrow().topic().substring(namespace.length());
        long time = record.timestamp();
        switch (topic) {
            case Peer.EVENT -> event(new Event(record.value()), time);
            case Peer.ASSIGNMENT -> assignment(record.key(), record.value());
            case Peer.TIMELINE_INPUT -> {
                ByteBuffer value = ByteBuffer.wrap(record.value());
                switch (value.get()) {
                    case DIGEST -> arrive(record.key(), Digest.read(value), time);
                    case MOVE -> move(record.key(), value, time);
                    default -> throw new IllegalStateException("neither a digest nor a move");
                }
            }
            default -> throw new IllegalStateException(topic);
        }
    }

    private void event(Event event, long time) {
        if (seen.putIfAbsent(event.id, YES) != null || !event.isCustomers || event.set.length == 0) {
            return;
        }
        byte[] set = ByteBuffer.allocate(1 + event.set.length).put((byte) (event.trusted ? 1 : 0)).put(event.set).array();
        if (reported.putIfAbsent(Token.hash(set), YES) == null) {
            context.forward(new Record<>(event.anchor, set, time), "to-link");
        }
        byte[] known = owner.get(event.anchor);
        byte[] profile = known == null ? event.anchor : Token.at(known, Long.BYTES);
        long version = known == null ? 0 : ByteBuffer.wrap(known).getLong();
        send(profile, new Digest(event.anchor, event.id, version, event.time, event.tells, event.matter, event.shown), time);
    }

    /** A version and a profile. */
    private void assignment(byte[] value, byte[] assigned) {
        byte[] known = owner.get(value);
        if (known == null || ByteBuffer.wrap(known).getLong() < ByteBuffer.wrap(assigned).getLong()) {
            owner.put(value, assigned);
        }
    }

    private void send(byte[] profile, Digest sent, long time) {
        if (Token.partition(profile, partitions) == partition) {
            arrive(profile, sent, time);
        } else {
            context.forward(new Record<>(profile, sent.message(), time), "to-timeline-input");
        }
    }

    private void arrive(byte[] profile, Digest arrived, long time) {
        byte[] on = forward.get(Token.key(profile, arrived.route()));
        if (on != null && ByteBuffer.wrap(on).getLong() > arrived.version()) {
            send(Token.at(on, Long.BYTES), arrived.at(ByteBuffer.wrap(on).getLong()), time);
            return;
        }
        digest.put(Token.key(profile, arrived.route(), arrived.event()), arrived.row());
        context.forward(new Record<>(Token.key(profile, arrived.event()), arrived.row(), time), "to-timeline");
        if (arrived.tells()) {
            context.forward(new Record<>(arrived.matter(), arrived.signal(profile), time), "to-case-input");
        }
    }

    /** A version, the new profile, and the values that go there. */
    private void move(byte[] profile, ByteBuffer move, long time) {
        byte[] decided = new byte[Long.BYTES + Token.LENGTH];
        move.get(decided);
        long version = ByteBuffer.wrap(decided).getLong();
        byte[] to = Token.at(decided, Long.BYTES);
        while (move.hasRemaining()) {
            byte[] value = new byte[Token.LENGTH];
            move.get(value);
            byte[] at = Token.key(profile, value);
            byte[] known = forward.get(at);
            if (known == null || ByteBuffer.wrap(known).getLong() < version) {
                forward.put(at, decided);
            }
            for (Digest moved : atRest(at, version)) {
                digest.delete(Token.key(profile, value, moved.event()));
                context.forward(new Record<>(Token.key(profile, moved.event()), null, time), "to-timeline");
                send(to, moved.at(version), time);
            }
        }
    }

    private List<Digest> atRest(byte[] profileAndValue, long below) {
        List<Digest> found = new ArrayList<>();
        byte[] first = new byte[profileAndValue.length + Token.LENGTH];
        System.arraycopy(profileAndValue, 0, first, 0, profileAndValue.length);
        try (KeyValueIterator<byte[], byte[]> rows = digest.range(first, Token.last(profileAndValue))) {
            while (rows.hasNext()) {
                KeyValue<byte[], byte[]> row = rows.next();
                Digest here = Digest.of(row.key, row.value);
                if (here.version() < below) {
                    found.add(here);
                }
            }
        }
        return found;
    }

    /** What is kept and moved of an event. */
    private record Digest(byte[] route, byte[] event, long version, long time, boolean tells, byte[] matter, byte[] shown) {
        static Digest read(ByteBuffer message) {
            byte[] route = new byte[Token.LENGTH];
            byte[] event = new byte[Token.LENGTH];
            message.get(route).get(event);
            return rest(route, event, message);
        }

        static Digest of(byte[] key, byte[] row) {
            return rest(Token.at(key, Token.LENGTH), Token.at(key, 2 * Token.LENGTH), ByteBuffer.wrap(row));
        }

        private static Digest rest(byte[] route, byte[] event, ByteBuffer row) {
            long version = row.getLong();
            long time = row.getLong();
            boolean tells = row.get() == 1;
            byte[] matter = new byte[Token.LENGTH];
            row.get(matter);
            byte[] shown = new byte[row.remaining()];
            row.get(shown);
            return new Digest(route, event, version, time, tells, matter, shown);
        }

        Digest at(long newer) {
            return new Digest(route, event, newer, time, tells, matter, shown);
        }

        byte[] row() {
            ByteBuffer row = ByteBuffer.allocate(2 * Long.BYTES + 1 + Token.LENGTH + shown.length);
            return row.putLong(version).putLong(time).put((byte) (tells ? 1 : 0)).put(matter).put(shown).array();
        }

        byte[] signal(byte[] profile) {
            byte[] row = row();
            return ByteBuffer.allocate(2 * Token.LENGTH + row.length).put(event).put(profile).put(row).array();
        }

        byte[] message() {
            byte[] row = row();
            return ByteBuffer.allocate(1 + 2 * Token.LENGTH + row.length).put(DIGEST).put(route).put(event).put(row).array();
        }
    }
}
