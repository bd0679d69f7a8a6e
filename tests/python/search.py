"""Looks for words in the raw bytes of every topic of a deployment: prints, by topic, how many messages hold each.

Usage: search.py BOOTSTRAP NAMESPACE WORD...
"""

import collections
import json
import sys

import polku


def main(bootstrap, namespace, *words):
    client = polku.consumer(bootstrap)
    found = {}
    for topic, partitions in polku.topics(client, namespace).items():
        held = collections.Counter({word: 0 for word in words})
        for message in polku.read_all(client, namespace, topic, partitions):
            # A null value removes a row of a machine's state.
            data = (message.key() + b"\n" + (message.value() or b"")).lower()
            held.update(word for word in words if word.lower().encode() in data)
            held["messages"] += 1
        found[topic] = held
    client.close()
    json.dump(found, sys.stdout)


main(*sys.argv[1:])
