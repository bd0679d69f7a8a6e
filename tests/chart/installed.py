"""The chart on a real Kubernetes API server with its controllers, and every container's process against a real Kafka.

Usage: installed.py TOOLS KUBERNETES BINARY: the folders that `deploy/dev/setup chart` and `… test-chart` print, and Polku.

No kubelet and no container engine: `kubelet.py` starts what each pod's spec says, in `sandbox.py`, and answers for it.
"""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

import yaml

from claims import Claims, until
from cluster import Cluster, Refused
from kubelet import Kubelet
from rendered import CHART, Rendered
from sandbox import Sandbox, environment, write_volumes

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMESPACE = "customer-experience"
RELEASE = "shop"
REPLICAS = {"ingest": 2, "serve": 1, "notify": 1, "unify": 2, "alert": 1}
MACHINES = {"unify", "alert"}
BOUND_SECONDS = 300

TILL_KEY = "the key of the till"
ADMIN_KEY = "the key of the administrator"
CANARY_KEY = "the key of the canary"


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


CONFIG = f"""
[identity.spaces]
order = "company"

[sources.till]
channel = "store"
key_sha256 = ["{sha256(TILL_KEY)}"]
trusted = true

[credentials.administrator]
key_sha256 = "{sha256(ADMIN_KEY)}"
role = "admin"
"""

COMPANY = """
name = "A shop"
[departments.care]
name = "Customer care"
[departments.delivery]
name = "Deliveries"
[routes]
receiver = "care"
[[routes.routes]]
name = "deliveries"
receiver = "delivery"
match = {{ type = "delivery.*" }}
[[routes.routes]]
name = "late"
receiver = "{late}"
match = {{ type = "product.*" }}
"""


def call(method, url, key=None, body=None):
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=15) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except OSError as error:
        return 0, str(error)


# What the chart's README asks the brokers to allow, on everything whose name begins with `polku.`.
RIGHTS = {
    "topic": ["Create", "Describe", "DescribeConfigs", "Read", "Write", "Delete"],
    "group": ["Read"],
    "transactional-id": ["Write", "Describe"],
}


class Kafka:
    """One broker that asks who comes, by the script that `make kafka` runs; its owner is this process."""

    def __init__(self):
        name = f"chart-{os.getpid()}"
        self.environment = os.environ | {"KAFKA_NAME": name, "KAFKA_PORT": "0", "KAFKA_SASL": "1", "KAFKA_OWNER": str(os.getpid())}
        self.environment.setdefault("KAFKA_HEAP", "384m")
        self.bootstrap = self.run("up").strip().splitlines()[-1].removeprefix("KAFKA_BOOTSTRAP=")
        for resource, operations in RIGHTS.items():
            asked = [part for operation in operations for part in ("--operation", operation)]
            named = [f"--{resource}", "polku.", "--resource-pattern-type", "prefixed"]
            self.run("acl", "--add", "--allow-principal", "User:polku", *asked, *named)

    def run(self, *arguments):
        script = ROOT / "deploy/dev/kafka/kafka"
        done = subprocess.run([script, *arguments], env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout


class Stage:
    """Everything that runs: the control plane, the broker, the stand-in for a node."""

    def __init__(self, tools, kubernetes, binary):
        self.tools = tools
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="polku-chart-"))
        # The sandbox's user is another one than ours.
        self.folder.chmod(0o755)
        self.binaries = self.folder / "bin"
        self.binaries.mkdir()
        shutil.copy(binary, self.binaries / "polku")
        self.kubelet = self.cluster = self.kafka = None

    def start(self, kubernetes):
        (self.folder / "cluster").mkdir()
        self.cluster = Cluster(self.folder / "cluster", kubernetes)
        self.api = self.cluster.api
        self.kafka = Kafka()
        self.api.create("/api/v1/namespaces", {
            "metadata": {
                "name": NAMESPACE,
                "labels": {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")},
            }
        })
        account = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"
        until("the namespace has its account", 60, lambda: self.exists(account))
        self.kubelet = Kubelet(self.api, NAMESPACE, self.folder / "pods", self.binaries)

    def exists(self, path):
        try:
            return self.api.get(path)
        except Refused as refused:
            assert refused.status == 404, refused
            return None

    def close(self, keep):
        for part in (self.kubelet, self.cluster):
            if part:
                part.close()
        if self.kafka:
            self.kafka.run("down")
        if keep:
            print(f"logs of every pod and of the control plane: {self.folder}")
        else:
            shutil.rmtree(self.folder)

    def helm(self, *arguments):
        command = [self.tools / "helm", "--kubeconfig", self.cluster.kubeconfig, "--namespace", NAMESPACE, *arguments]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        assert done.returncode == 0, (done.stdout + done.stderr).strip()
        return done.stdout + done.stderr

    def values(self, **more):
        values = {
            "config": CONFIG,
            "company": COMPANY.format(late="care"),
            "partitions": 4,
            "sessionMs": 6000,
            "pepper": {"existingSecret": "pepper"},
            "kafka": {
                "bootstrap": self.kafka.bootstrap,
                "security": "sasl_plaintext",
                "sasl": {"mechanism": "PLAIN", "username": "polku", "existingSecret": "kafka-user"},
            },
            "canary": {"enabled": True, "value": CANARY_KEY},
            "roles": {role: {"replicas": count} for role, count in REPLICAS.items()},
        }
        file = self.folder / "values.yaml"
        file.write_text(yaml.safe_dump(values | more))
        return file

    def events_of(self, reason):
        listed = self.api.get(f"/api/v1/namespaces/{NAMESPACE}/events")["items"]
        return [f"{one['involvedObject']['name']}: {one['message']}" for one in listed if one["reason"] == reason]

    def url(self, component):
        address = self.kubelet.address(f"{RELEASE}-polku-{component}")
        return f"http://{address}" if address else None

    def send(self, event):
        """As a sender does it: again, elsewhere, until somebody has it."""
        def accepted():
            url = self.url("ingest")
            status, answer = call("POST", f"{url}/v1/sources/till/events", TILL_KEY, event) if url else (0, "nobody is ready")
            assert status in (0, 202, 429, 502, 503), f"{status}: {answer}"
            return status == 202
        until(f"a door takes {event['id']}", BOUND_SECONDS, accepted)

    def watch(self, department):
        """Follows a department's notices until the other side ends."""
        headers = {"Authorization": f"Bearer {ADMIN_KEY}", "Accept": "text/event-stream"}
        request = urllib.request.Request(f"{self.url('serve')}/v1/departments/{department}/stream", headers=headers)
        answer = urllib.request.urlopen(request, timeout=60)

        def follow():
            with answer:
                try:
                    while answer.readline():
                        pass
                except OSError:
                    pass

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        return thread

    def cases(self, department):
        """All of a department's cases, page by page."""
        found, cursor = [], ""
        while True:
            url = f"{self.url('serve')}/v1/departments/{department}/cases?limit=100"
            status, answer = call("GET", url + (f"&cursor={cursor}" if cursor else ""), ADMIN_KEY)
            assert status == 200, f"{status}: {answer}"
            found += answer["cases"]
            cursor = answer["next"]
            if not cursor:
                return found


def event(number, what="delivery.late"):
    return {
        "id": f"event-{number}",
        "kind": "complaint",
        "type": what,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "identifiers": {"email": f"customer.{number}@example.fi"},
        "references": {"order": f"A-{number}"},
    }


def every_configuration_is_good(stage):
    """The doors' own pod of every file of values, with its environment and the mounts of all roles: `check-config` looks at each
    secret that the configuration names, and a role sees its own only."""
    for file in sorted((CHART / "ci").glob("*-values.yaml")):
        rendered = Rendered(stage.tools / "helm", file)
        made = {"configmaps": rendered.kind("ConfigMap"), "secrets": rendered.kind("Secret")}
        given = {
            "polku-pepper": {"pepper.hex": "ab" * 32},
            "polku-senders": {"courier": "whsec_c2VjcmV0IG9mIHRoZSBjb3VyaWVy"},
            "polku-receivers": {"delivery": "whsec_c2VjcmV0IG9mIGRlbGl2ZXJpZXM="},
            "polku-kafka-user": {"password": "not a real one"},
            "polku-kafka-tls": {"ca.crt": "-", "tls.crt": "-", "tls.key": "-"},
            "polku-keys": {"POLKU__CREDENTIALS__AINO__KEY_SHA256": sha256("aino")},
        }
        lookup = lambda kind, name: made[kind].get(name) or {"stringData": given[name]}
        pods = rendered.pods()
        spec = pods["ingest"]["spec"]
        (container,) = spec["containers"]
        for other in (pod["spec"] for pod in pods.values()):
            add_missing(spec["volumes"], other.get("volumes", []), "name")
            add_missing(container["volumeMounts"], other["containers"][0].get("volumeMounts", []), "mountPath")
        folder = stage.folder / "configurations" / file.stem
        volumes = write_volumes(spec, folder, lookup)
        hosts = folder / "hosts"
        hosts.write_text("127.0.0.1 localhost\n")
        with open(folder / "log", "wb") as log:
            command = [*container["command"][:3], "check-config"]
            sandbox = Sandbox(spec, container, volumes, environment(container, lookup), stage.binaries, hosts, log, command)
            code = sandbox.process.wait(60)
        assert code == 0, f"{file.name}: {(folder / 'log').read_text().strip()}"


def add_missing(these, others, key):
    known = {one[key] for one in these}
    these.extend(other for other in others if other[key] not in known)


def a_pod_that_is_not_restricted_is_refused(stage):
    pod = {"metadata": {"name": "root"}, "spec": {"containers": [{"name": "root", "image": "root"}]}}
    try:
        stage.api.create(f"/api/v1/namespaces/{NAMESPACE}/pods", pod)
    except Refused as refused:
        assert refused.status == 403 and "restricted" in str(refused), refused
    else:
        raise AssertionError("it was let in")


def installed(stage):
    given = {"pepper": {"pepper": os.urandom(32).hex()}, "kafka-user": {"password": "polku"}}
    for name, data in given.items():
        secret = {"metadata": {"name": name}, "stringData": data}
        stage.api.create(f"/api/v1/namespaces/{NAMESPACE}/secrets", secret)
    said = stage.helm("install", RELEASE, CHART, "--values", stage.values(), "--wait", "--timeout", f"{BOUND_SECONDS}s")
    assert "would violate PodSecurity" not in said, said
    assert f"helm test --namespace {NAMESPACE} {RELEASE}" in said, said


def every_pod_was_let_in(stage):
    assert not stage.events_of("FailedCreate"), stage.events_of("FailedCreate")
    counts = {component: len(stage.kubelet.running(component)) for component in REPLICAS}
    assert counts == REPLICAS, counts


def every_probe_answers(stage):
    for component in REPLICAS:
        for pod in stage.kubelet.running(component):
            assert pod.ready and pod.restarts == 0, f"{pod.name}: ready {pod.ready}, {pod.restarts} restarts"
            (container,) = pod.manifest["spec"]["containers"]
            port = container["ports"][0]["containerPort"]
            for probe in ("livenessProbe", "readinessProbe"):
                status, answer = call("GET", f"http://{pod.address}:{port}{container[probe]['httpGet']['path']}")
                assert status == 200, f"{pod.name} {probe}: {status} {answer}"
    assert not stage.kubelet.troubles, stage.kubelet.troubles


def an_event_becomes_a_routed_case(stage):
    stage.send(event("first"))
    (case,) = until("the department has a case", BOUND_SECONDS, lambda: stage.cases("delivery"))
    assert case["what"] == "delivery.late" and not stage.cases("care"), case


def the_canary_comes_through(stage):
    def came():
        with urllib.request.urlopen(f"{stage.url('serve')}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        values = [float(line.split()[-1]) for line in lines if line.startswith("polku_canary_success_timestamp_seconds")]
        return any(value > 0 for value in values)
    until("a canary came through", 150, came)


def helm_test_passes(stage):
    said = stage.helm("test", RELEASE, "--timeout", "120s")
    assert "Succeeded" in said, said


def an_upgrade_loses_nothing(stage):
    """Every pod is replaced while events come in; the machines one after the other, each when the last is ready."""
    before = {pod.name: pod for component in REPLICAS for pod in stage.kubelet.running(component)}
    mark = time.monotonic()
    stop, sent, faults = threading.Event(), [], []

    def send():
        try:
            while not stop.is_set():
                stage.send(event(len(sent), "product.broken"))
                sent.append(len(sent))
                time.sleep(0.05)
        except AssertionError as error:
            faults.append(error)

    sender = threading.Thread(target=send)
    sender.start()
    # Somebody who watches an inbox holds no pod up.
    watcher = stage.watch("delivery")
    try:
        values = stage.values(sessionMs=7000, company=COMPANY.format(late="delivery"))
        stage.helm("upgrade", RELEASE, CHART, "--values", values, "--wait", "--timeout", f"{BOUND_SECONDS}s")
    finally:
        stop.set()
        sender.join()
        watcher.join(BOUND_SECONDS)
    assert not faults, faults
    assert not watcher.is_alive(), "a live stream outlived its pod"
    for component in REPLICAS:
        pods = stage.kubelet.running(component)
        assert len(pods) == REPLICAS[component] and all(pod.ready for pod in pods), component
        assert not [pod for pod in pods if pod in before.values()], f"a pod of {component} was not replaced"
    for component in MACHINES:
        down, worst = set(), 0
        for at, name, ready in stage.kubelet.history:
            if at > mark and name.startswith(f"{RELEASE}-polku-{component}-"):
                down = down - {name} if ready else down | {name}
                worst = max(worst, len(down))
        assert worst == 1, f"{worst} pods of {component} were away at a time"
    assert not stage.kubelet.killed, f"did not stop within their grace: {stage.kubelet.killed}"

    wanted = len(sent) + 1
    def found():
        """Each event on a timeline, each complaint a case: cases follow timelines, and are waited for as well."""
        status, counts = call("GET", f"{stage.url('serve')}/v1/counts", ADMIN_KEY)
        assert status == 200, counts
        cases = {case["id"] for department in ("care", "delivery") for case in stage.cases(department)}
        seen.update(entries=counts["entries"], cases=len(cases), balanced=counts["balanced"])
        return min(counts["entries"], len(cases)) >= wanted

    seen = {}
    try:
        until(f"{wanted} events are on timelines and their cases open", BOUND_SECONDS, found, every=1)
    finally:
        print(f"        {len(sent)} events were sent during the upgrade; {seen}")
    assert seen == {"entries": wanted, "cases": wanted, "balanced": True}, (wanted, seen)


def the_new_company_is_in_force(stage):
    jobs = stage.api.get(f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs")["items"]
    assert len(jobs) == 1 and jobs[0]["status"].get("succeeded") == 1, [job["metadata"]["name"] for job in jobs]
    def routed():
        stage.send(event(f"after-{time.monotonic_ns()}", "product.missing"))
        return [case for case in stage.cases("delivery") if case["what"] == "product.missing"]
    until("a case is routed by the new rules", BOUND_SECONDS, routed, every=2)


def brokers_away_restart_nobody(stage):
    """Longer than liveness needs to fail: it has nothing to do with Kafka."""
    stage.kafka.run("kill")
    pods = [pod for component in REPLICAS for pod in stage.kubelet.running(component)]
    port = pods[0].manifest["spec"]["containers"][0]["ports"][0]["containerPort"]
    end = time.monotonic() + 40
    while time.monotonic() < end:
        for pod in pods:
            status, answer = call("GET", f"http://{pod.address}:{port}/livez")
            assert status == 200, f"{pod.name}: {status} {answer}"
        time.sleep(1)
    status, answer = call("POST", f"http://{stage.kubelet.running('ingest')[0].address}:{port}/v1/sources/till/events", TILL_KEY,
                          event("without-a-broker"))
    assert status in (0, 503), f"{status}: {answer}"
    stage.kafka.run("up")
    stage.send(event("with-a-broker", "delivery.lost"))
    until("the event becomes a case", BOUND_SECONDS,
          lambda: [case for case in stage.cases("delivery") if case["what"] == "delivery.lost"])
    assert all(pod.restarts == 0 for pod in pods), [pod.name for pod in pods if pod.restarts]
    until("all are ready again", BOUND_SECONDS, lambda: all(pod.ready for pod in pods))


def the_rights_were_enough(stage):
    logs = {pod.name: pod.log.read_text() for pod in stage.kubelet.pods.values() if pod.log.exists()}
    short = [f"{name}: {line}" for name, log in logs.items() for line in log.splitlines() if "uthoriz" in line or "ACL" in line]
    assert logs and not short, short[:3]


def an_uninstall_leaves_nothing(stage):
    stage.helm("uninstall", RELEASE, "--wait", "--timeout", "180s")
    kubectl = [stage.tools / "kubectl", "--kubeconfig", stage.cluster.kubeconfig, "--namespace", NAMESPACE]
    run = lambda *arguments: subprocess.run([str(part) for part in [*kubectl, *arguments]], capture_output=True, text=True, check=True).stdout
    kinds = run("api-resources", "--namespaced", "--verbs=list", "--output=name").split()
    kinds = ",".join(kind for kind in kinds if kind.split(".")[0] not in ("events", "bindings"))
    ours = {"serviceaccount/default", "configmap/kube-root-ca.crt", "secret/pepper", "secret/kafka-user"}
    left = lambda: set(run("get", kinds, "--output=name").split()) - ours
    until("nothing is left", 60, lambda: not left())
    assert not stage.kubelet.killed, f"did not stop within their grace: {stage.kubelet.killed}"


def main():
    tools, kubernetes, binary = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
    claims = Claims()
    stage = Stage(tools, kubernetes, binary)
    try:
        claims.check("every configuration that the chart writes is good", every_configuration_is_good, stage)
        stage.start(kubernetes)
        for claim in (
            a_pod_that_is_not_restricted_is_refused,
            installed,
            every_pod_was_let_in,
            every_probe_answers,
            an_event_becomes_a_routed_case,
            helm_test_passes,
            the_canary_comes_through,
            an_upgrade_loses_nothing,
            the_new_company_is_in_force,
            brokers_away_restart_nobody,
            the_rights_were_enough,
            an_uninstall_leaves_nothing,
        ):
            failed = claims.failed
            claims.check(claim.__name__.replace("_", " "), claim, stage)
            if claim is installed and claims.failed > failed:
                break
        for trouble in stage.kubelet.troubles:
            print(f"        {trouble}")
    finally:
        stage.close(keep=claims.failed > 0)
    claims.close()


if __name__ == "__main__":
    main()
