"""What a department's own client reads: prints its notices as JSON, one a line.

Usage: notices.py BOOTSTRAP NAMESPACE SCHEMAS DEPARTMENT
"""

import json
import sys

import polku


def main(bootstrap, namespace, directory, department):
    client = polku.consumer(bootstrap)
    schemas = polku.Schemas(directory)
    topic = f"polku.notice.{department}"
    for message in polku.read_all(client, namespace, topic, polku.topics(client, namespace)[topic]):
        name, notice = schemas.read(message.value())
        assert name == "notice", name
        assert message.key().hex() == notice["case"].hex(), "a notice is keyed by its case"
        print(json.dumps({key: value.hex() if isinstance(value, bytes) else value for key, value in notice.items()}))
    client.close()


main(*sys.argv[1:])
