"""Reads topics as a client does that knows nothing of Polku but where the schema registry is: prints JSON, by topic the ids and records.

Usage: registry.py BOOTSTRAP NAMESPACE REGISTRY TOPIC...
"""

import io
import json
import struct
import sys
import urllib.request

import fastavro
import polku


class Registry:
    def __init__(self, url):
        self.url, self.parsed = url, {}

    def read(self, message):
        """The id in a message of the Confluent wire format, and the record."""
        magic, number = struct.unpack(">bI", message[:5])
        assert magic == 0, f"not the Confluent wire format: {message[:8]!r}"
        if number not in self.parsed:
            with urllib.request.urlopen(f"{self.url}/schemas/ids/{number}", timeout=30) as answer:
                schema = json.loads(json.load(answer)["schema"])
            self.parsed[number] = schema["name"], fastavro.parse_schema(schema, named_schemas={})
        name, schema = self.parsed[number]
        data = io.BytesIO(message[5:])
        record = fastavro.schemaless_reader(data, schema)
        assert not data.read(1), f"a {name} has bytes after its end"
        return number, name, record


def main(bootstrap, namespace, url, *names):
    client = polku.consumer(bootstrap)
    registry = Registry(url)
    topics = polku.topics(client, namespace)
    found = {}
    for topic in names:
        found[topic] = []
        for message in polku.read_all(client, namespace, topic, topics[topic]):
            number, name, record = registry.read(message.value())
            if name == "Event":
                # What is personal is a message within the message.
                record["personal"] = registry.read(record["personal"])[2]
            found[topic].append({"id": number, "name": name, "record": record})
    client.close()
    json.dump(found, sys.stdout, default=lambda value: value.hex() if isinstance(value, bytes) else str(value))


main(*sys.argv[1:])
