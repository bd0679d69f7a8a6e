"""Counts what is in the topics of one deployment, and prints it as JSON. Usage: count.py BOOTSTRAP NAMESPACE SCHEMAS

Compacted topics are folded: the last record of a key holds.
"""

import collections
import json
import sys

import polku


def main(bootstrap, namespace, directory):
    client = polku.consumer(bootstrap)
    schemas = polku.Schemas(directory)
    topics = polku.topics(client, namespace)

    def fold(topic):
        rows = {}
        for message in polku.read_all(client, namespace, topic, topics[topic]):
            rows[message.key()] = message.value()
        return (schemas.read(value) for value in rows.values())

    events = collections.Counter()
    for message in polku.read_all(client, namespace, "polku.event", topics["polku.event"]):
        _, record = schemas.read(message.value())
        events[record["product"]] += 1

    entries = collections.defaultdict(list)
    for name, record in fold("polku.timeline"):
        if name == "entry":
            case = record["case"].hex() if record["case"] else None
            entries[record["product"]].append([record["profile"].hex(), record["matter"].hex(), case])

    cases, steps = {}, collections.defaultdict(list)
    for name, record in fold("polku.case"):
        if name == "case_state":
            cases[record["case"].hex()] = {
                "owner": record["owner"],
                "phase": record["phase"],
                "what": record["what"],
                "contacts": record["contacts"],
                "deadline": record["deadline"],
                "absorbed_by": record["absorbed_by"].hex() if record["absorbed_by"] else None,
                "matters": [matter.hex() for matter in record["matters"]],
                "profiles": [profile.hex() for profile in record["profiles"]],
            }
        else:
            steps[record["case"].hex()].append([record["step"], record["what"]])

    notices = {}
    for topic in topics:
        if topic.startswith("polku.notice."):
            records = (schemas.read(message.value())[1] for message in polku.read_all(client, namespace, topic, topics[topic]))
            notices[topic.removeprefix("polku.notice.")] = [[one["id"].hex(), one["case"].hex(), one["why"]] for one in records]

    client.close()
    json.dump({"events": events, "entries": entries, "cases": cases, "steps": steps, "notices": notices}, sys.stdout)


main(*sys.argv[1:])
