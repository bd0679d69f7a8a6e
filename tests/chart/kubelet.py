"""Stands in for the node: starts the processes of the pods that the controllers make, asks their probes, and says in the pods'
status what a kubelet would say, so that upgrades and `--wait` go by what the probes really answer.

Pods have addresses of their own on loopback (127.x.y.z), so that every process listens on the port of its spec. The address is the
one thing that is laid over the spec, as POLKU__LISTEN.
"""

import datetime
import http.client
import pathlib
import random
import threading
import time

from cluster import Refused
from sandbox import Sandbox, environment, write_volumes

NODE = "this-machine"
LOOK_EVERY_SECONDS = 0.3
RESTART_AFTER_SECONDS = 1.0


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Kubelet:
    def __init__(self, api, namespace, folder, binaries):
        self.api = api
        self.path = f"/api/v1/namespaces/{namespace}"
        self.folder = pathlib.Path(folder)
        self.binaries = binaries
        self.folder.mkdir(parents=True)
        # In the place of the cluster's names: the Services, each with the address of a pod that is ready. One file for all, written
        # in place, since the sandboxes hold the file itself.
        self.hosts = self.folder / "hosts"
        self.names = None
        self.network = f"127.{random.randint(16, 250)}.{random.randint(0, 250)}"
        self.pods = {}
        # What tests ask about afterwards.
        self.killed = []
        self.troubles = []
        self.history = []
        self.ending = threading.Event()
        self._tell_names()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def close(self):
        """Ends every process that was started here."""
        self.ending.set()
        self.thread.join()
        for pod in self.pods.values():
            pod.thread.join()

    def _run(self):
        while not self.ending.wait(LOOK_EVERY_SECONDS):
            try:
                self._look()
                self._tell_names()
            except (OSError, Refused) as error:
                self.troubles.append(f"asking the API server: {error}")

    def _look(self):
        for manifest in self.api.get(f"{self.path}/pods")["items"]:
            uid = manifest["metadata"]["uid"]
            if uid in self.pods:
                self.pods[uid].manifest = manifest
            elif "deletionTimestamp" not in manifest["metadata"]:
                self.pods[uid] = Pod(self, manifest, f"{self.network}.{len(self.pods) + 1}")

    def lookup(self, kind, name):
        return self.api.get(f"{self.path}/{kind}/{name}")

    def running(self, component):
        """The pods of a component that are not going away."""
        return [pod for pod in self.pods.values() if pod.component == component and not pod.over and not pod.leaving()]

    def address(self, service):
        """Where a Service leads: to the first of its pods that is ready."""
        return self._behind(self.lookup("services", service)["spec"])

    def _behind(self, spec):
        for pod in list(self.pods.values()):
            labels = pod.manifest["metadata"]["labels"]
            if spec["selector"].items() <= labels.items() and pod.ready and not pod.leaving():
                return f"{pod.address}:{spec['ports'][0]['port']}"
        return None

    def _tell_names(self):
        names = {}
        for service in self.api.get(f"{self.path}/services")["items"]:
            address = self._behind(service["spec"])
            if address:
                names[service["metadata"]["name"]] = address.split(":")[0]
        if names != self.names:
            self.names = names
            lines = ["127.0.0.1 localhost", *(f"{address} {name}" for name, address in names.items())]
            self.hosts.write_text("\n".join(lines) + "\n")


class Pod:
    def __init__(self, kubelet, manifest, address):
        self.kubelet = kubelet
        self.manifest = manifest
        self.address = address
        self.name = manifest["metadata"]["name"]
        self.path = f"{kubelet.path}/pods/{self.name}"
        self.component = manifest["metadata"]["labels"].get("app.kubernetes.io/component", "")
        self.folder = kubelet.folder / f"{self.name}-{manifest['metadata']['uid'][:8]}"
        self.log = self.folder / "log"
        self.ready = False
        self.over = False
        self.restarts = 0
        self.phase = "Pending"
        self.initialised = False
        self.told = None
        self.thread = threading.Thread(target=self._guarded, daemon=True)
        self.thread.start()

    def leaving(self):
        return "deletionTimestamp" in self.manifest["metadata"]

    def _told_to_end(self):
        return self.kubelet.ending.is_set() or self.leaving()

    def _guarded(self):
        try:
            self._run()
        except Exception as error:
            self.kubelet.troubles.append(f"{self.name}: {error!r}")

    def _run(self):
        spec = self.manifest["spec"]
        self.folder.mkdir(parents=True)
        target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
        self.kubelet.api.create(f"{self.path}/binding", {"metadata": {"name": self.name}, "target": target})
        self.volumes = write_volumes(spec, self.folder, self.kubelet.lookup)
        self._tell()
        done = all(self._to_its_end(container) for container in spec.get("initContainers", []))
        if done:
            self.initialised = True
            assert len(spec["containers"]) == 1, "one container a pod is understood here"
            container = spec["containers"][0]
            if "readinessProbe" in container:
                self._serve(container)
            else:
                self.phase = "Running"
                self._tell()
                succeeded = self._to_its_end(container)
                self.phase = "Succeeded" if succeeded else "Failed"
                self._tell()
        while not self._told_to_end():
            time.sleep(LOOK_EVERY_SECONDS)
        self.over = True
        if self.leaving() and not self.kubelet.ending.is_set():
            uid = self.manifest["metadata"]["uid"]
            self._ask("DELETE", self.path, {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}})

    def _start(self, container):
        values = environment(container, self.kubelet.lookup)
        for port in container.get("ports", []):
            values["POLKU__LISTEN"] = f"{self.address}:{port['containerPort']}"
        with open(self.log, "ab") as log:
            log.write(f"--- {container['name']}: {' '.join(container['command'])}\n".encode())
            log.flush()
            return Sandbox(self.manifest["spec"], container, self.volumes, values, self.kubelet.binaries, self.kubelet.hosts, log)

    def _to_its_end(self, container):
        """Runs a container that ends by itself, again where the spec says so; whether it succeeded."""
        while not self._told_to_end():
            running = self._start(container)
            while running.exit_code() is None and not self._told_to_end():
                time.sleep(0.1)
            if running.exit_code() == 0:
                return True
            if running.exit_code() is None:
                self._stop(running, self._grace())
                return False
            if self.manifest["spec"]["restartPolicy"] == "Never":
                return False
            self.restarts += 1
            self._tell()
            self.kubelet.ending.wait(RESTART_AFTER_SECONDS)
        return False

    def _serve(self, container):
        """Runs a container that answers probes, until the pod is told to end."""
        self.phase = "Running"
        running = self._start(container)
        probes = Probes(self, container)
        self._tell()
        while not self._told_to_end():
            dead = running.exit_code() is not None
            if not dead and probes.look() is Probes.KILL:
                self.kubelet.troubles.append(f"{self.name}: its liveness probe failed")
                self._stop(running, self._grace())
                dead = True
            if dead:
                self.restarts += 1
                self.kubelet.troubles.append(f"{self.name}: ended with {running.exit_code()}; see {self.log}")
                self._set_ready(False)
                self.kubelet.ending.wait(RESTART_AFTER_SECONDS)
                running, probes = self._start(container), Probes(self, container)
            self._set_ready(probes.ready)
            self._tell()
            time.sleep(0.1)
        # Whoever goes away gets nothing new, and answers on until everybody knows.
        self._set_ready(False)
        self._tell()
        slept = 0
        if not self.kubelet.ending.is_set():
            slept = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
            time.sleep(slept)
        self._stop(running, self._grace() - slept)

    def _grace(self):
        if self.kubelet.ending.is_set():
            return 10
        return self.manifest["metadata"].get("deletionGracePeriodSeconds", 30)

    def _stop(self, running, grace):
        if not running.stop(grace):
            self.kubelet.killed.append(self.name)

    def _set_ready(self, ready):
        if ready != self.ready:
            self.ready = ready
            self.kubelet.history.append((time.monotonic(), self.name, ready))

    def _tell(self):
        """The pod's status, when it is another than was told before."""
        status = lambda value: "True" if value else "False"
        conditions = {
            "PodScheduled": True,
            "Initialized": self.initialised,
            "ContainersReady": self.ready,
            "Ready": self.ready,
        }
        running = self.phase == "Running"
        ended = {"Succeeded": 0, "Failed": 1}.get(self.phase)
        state = {"waiting": {"reason": "PodInitializing"}}
        if running:
            state = {"running": {"startedAt": now()}}
        elif ended is not None:
            state = {"terminated": {"exitCode": ended, "startedAt": now(), "finishedAt": now()}}
        container = self.manifest["spec"]["containers"][0]
        short = (self.phase, self.initialised, self.ready, self.restarts)
        if short == self.told:
            return
        self.told = short
        self._ask("PATCH", f"{self.path}/status", {
            "status": {
                "phase": self.phase,
                "podIP": self.address,
                "podIPs": [{"ip": self.address}],
                "startTime": now(),
                "conditions": [
                    {"type": kind, "status": status(value), "lastTransitionTime": now()} for kind, value in conditions.items()
                ],
                "containerStatuses": [{
                    "name": container["name"],
                    "image": container["image"],
                    "imageID": container["image"],
                    "ready": self.ready,
                    "started": running,
                    "restartCount": self.restarts,
                    "state": state,
                }],
            }
        })

    def _ask(self, method, path, body):
        try:
            content = "application/strategic-merge-patch+json" if method == "PATCH" else "application/json"
            self.kubelet.api.request(method, path, body, content)
        except Refused as error:
            # It was removed in the meantime.
            if error.status not in (404, 409):
                raise


class Probes:
    """A container's probes, by their periods and thresholds."""

    KILL = object()

    def __init__(self, pod, container):
        self.address = pod.address
        self.ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        self.specs = {kind: container[f"{kind}Probe"] for kind in ("startup", "liveness", "readiness")}
        self.due = dict.fromkeys(self.specs, 0.0)
        self.failures = dict.fromkeys(self.specs, 0)
        self.started = False
        self.ready = False

    def look(self):
        kinds = ("liveness", "readiness") if self.started else ("startup",)
        for kind in kinds:
            spec = self.specs[kind]
            if time.monotonic() < self.due[kind]:
                continue
            self.due[kind] = time.monotonic() + spec.get("periodSeconds", 10)
            passed = self._passes(spec)
            self.failures[kind] = 0 if passed else self.failures[kind] + 1
            failed = self.failures[kind] >= spec.get("failureThreshold", 3)
            if kind == "startup":
                self.started = passed
            if kind == "readiness":
                self.ready = passed or self.ready and not failed
            elif failed:
                return Probes.KILL
        return None

    def _passes(self, spec):
        asked = spec["httpGet"]
        connection = http.client.HTTPConnection(self.address, self.ports[asked["port"]], timeout=spec.get("timeoutSeconds", 1))
        try:
            connection.request("GET", asked["path"])
            return 200 <= connection.getresponse().status < 400
        except OSError:
            return False
        finally:
            connection.close()
