"""Reading Polku's topics as any department could: PyPI confluent-kafka and fastavro, and the schemas that Polku publishes."""

import io
import json
import pathlib
import struct
import time

import confluent_kafka
import fastavro

# The ids of the schemas that are shipped in the binary, in the order of crates/wire/src/schema.rs.
FIRST_ID = 0x50000000
SHIPPED = [
    "event", "personal", "link_set", "link_tick", "rules", "assignment", "digest", "move", "step_note", "entry", "step_entry",
    "moved", "signal", "command", "regroup", "absorb", "case_state", "case_step", "command_outcome", "notice", "reject", "config",
    "access", "sent",
]  # fmt: skip


def without_logical_types(schema):
    """Times as the numbers they are: thousands of dates cost more than the rest of reading."""
    if isinstance(schema, dict):
        return {key: without_logical_types(value) for key, value in schema.items() if key != "logicalType"}
    if isinstance(schema, list):
        return [without_logical_types(part) for part in schema]
    return schema


class Schemas:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.parsed = {}

    def read(self, message):
        """The name of the record in a message of the Confluent wire format, and the record."""
        magic, number = struct.unpack(">bI", message[:5])
        assert magic == 0, f"not the Confluent wire format: {message[:8]!r}"
        if number not in self.parsed:
            name = SHIPPED[number - FIRST_ID]
            text = (self.directory / f"{name}.avsc").read_text()
            # Each file stands alone and names its own `polku.Token`.
            self.parsed[number] = name, fastavro.parse_schema(without_logical_types(json.loads(text)), named_schemas={})
        name, schema = self.parsed[number]
        data = io.BytesIO(message[5:])
        record = fastavro.schemaless_reader(data, schema)
        assert not data.read(1), f"a {name} has bytes after its end"
        return name, record


def consumer(bootstrap):
    return confluent_kafka.Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "polku-tests-independent",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
        }
    )


def topics(client, namespace):
    """The topics of one deployment, with their numbers of partitions, by their names without the namespace."""
    found = client.list_topics(timeout=30).topics
    return {name[len(namespace) :]: len(found[name].partitions) for name in found if name.startswith(namespace + "polku.")}


def read_all(client, namespace, topic, partitions):
    """Every committed message of a topic, up to what was its end when this began."""
    name = namespace + topic
    starts, ends = [], {}
    for partition in range(partitions):
        place = confluent_kafka.TopicPartition(name, partition)
        low, high = client.get_watermark_offsets(place, timeout=30)
        ends[partition] = high
        starts.append(confluent_kafka.TopicPartition(name, partition, low))
    client.assign(starts)
    waiting = set(ends)
    heard = time.monotonic()
    while waiting:
        messages = client.consume(10_000, timeout=0.2)
        if messages:
            heard = time.monotonic()
        assert time.monotonic() < heard + 30, f"{name}: nothing came for 30 s from {sorted(waiting)}"
        for message in messages:
            error = message.error()
            if error is None:
                yield message
            elif error.code() == confluent_kafka.KafkaError._PARTITION_EOF:
                # An open transaction may end the partition for us early; its end is then told once more.
                if message.offset() >= ends[message.partition()]:
                    waiting.discard(message.partition())
            else:
                raise confluent_kafka.KafkaException(error)
