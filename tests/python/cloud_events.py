"""Sends one event in every way that the CloudEvents SDK can send it, and prints the answers as JSON.

Usage: cloud_events.py URL KEY
"""

import datetime
import json
import sys
import urllib.error
import urllib.request

from cloudevents.core.bindings import http
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from cloudevents.v1.http import CloudEvent as OldCloudEvent
from cloudevents.v1.http import to_binary, to_structured

DATA = {
    "kind": "complaint",
    "type": "delivery.late",
    "references": {"order": "A-77"},
    "text": "Missä pakettini on?",
    "attributes": {"till": 7},
}


def attributes(**more):
    return {
        "id": "7",
        "source": "/myymälä/3",
        "type": "fi.example.complained",
        "time": datetime.datetime(2026, 1, 20, 7, 31, tzinfo=datetime.timezone.utc),
        "specversion": "1.0",
        "datacontenttype": "application/json",
        **more,
    }


def send(url, key, headers, body):
    headers = {**headers, "Authorization": f"Bearer {key}"}
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return {"status": answer.status, "body": json.load(answer)}
    except urllib.error.HTTPError as error:
        return {"status": error.code, "body": json.load(error)}


def main(url, key):
    form = JSONFormat()
    event = CloudEvent(attributes=attributes(), data=DATA)
    as_bytes = CloudEvent(attributes=attributes(), data=json.dumps(DATA).encode())
    another = CloudEvent(attributes=attributes(id="8", subject="paketti"), data=DATA)
    old = OldCloudEvent({**attributes(source="/till/9"), "time": "2026-01-20T07:31:00+00:00"}, DATA)
    binary = http.to_binary(event, form)
    structured = http.to_structured(event, form)
    # The SDK has no batches; a batch is an array of what it writes.
    batch = b"[" + b",".join(form.write(one) for one in (event, as_bytes, another)) + b"]"
    # Of itself the SDK gives every event a time.
    timeless = {name: value for name, value in binary.headers.items() if name != "ce-time"}
    ways = {
        "binary": (binary.headers, binary.body),
        "structured": (structured.headers, structured.body),
        "batch": ({"content-type": "application/cloudevents-batch+json"}, batch),
        "old binary": to_binary(old),
        "old structured": to_structured(old),
        "without a time": (timeless, binary.body),
    }
    answers = {way: send(url, key, headers, body) for way, (headers, body) in ways.items()}
    json.dump(answers, sys.stdout)


main(*sys.argv[1:])
