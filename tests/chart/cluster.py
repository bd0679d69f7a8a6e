"""A Kubernetes control plane on loopback: etcd, the API server and the controllers, all real; no node, no scheduler."""

import ctypes
import json
import pathlib
import signal
import socket
import ssl
import subprocess
import urllib.error
import urllib.request

from claims import until

TOKEN = "the-administrators-of-a-cluster-on-loopback"
# What makes pods of workloads, keeps accounts and namespaces, and clears away what belonged to what was removed.
CONTROLLERS = [
    "deployment",
    "replicaset",
    "statefulset",
    "job",
    "serviceaccount",
    "root-ca-cert-publisher",
    "namespace",
    "disruption",
    "garbagecollector",
]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def die_with_parent():
    """Whoever starts a process with this takes it along, however it ends itself."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Refused(Exception):
    def __init__(self, status, text):
        super().__init__(f"{status}: {text}")
        self.status = status


class Api:
    """The API server's REST interface."""

    def __init__(self, url, authority):
        self.url = url
        self.context = ssl.create_default_context(cafile=authority)
        self.context.check_hostname = False

    def request(self, method, path, body=None, content_type="application/json"):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": content_type}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30, context=self.context) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            try:
                text = json.loads(text)["message"]
            except (ValueError, KeyError):
                pass
            raise Refused(error.code, text) from None
        try:
            return json.loads(text)
        except ValueError:
            return text.decode()

    def get(self, path):
        return self.request("GET", path)

    def create(self, path, body):
        return self.request("POST", path, body)

    def patch(self, path, body):
        return self.request("PATCH", path, body, "application/strategic-merge-patch+json")

    def delete(self, path, body=None):
        return self.request("DELETE", path, body)


class Cluster:
    """Started by its construction, ended by `close`. Everything it writes lies in one folder."""

    def __init__(self, folder, binaries):
        self.folder = pathlib.Path(folder)
        self.binaries = pathlib.Path(binaries)
        self.processes = []
        self.kubeconfig = self.folder / "kubeconfig"
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self):
        etcd, peer, port = free_port(), free_port(), free_port()
        address = f"http://127.0.0.1:{etcd}"
        peers = f"http://127.0.0.1:{peer}"
        self._run("etcd", "etcd", f"--data-dir={self.folder}/etcd", f"--listen-client-urls={address}",
                  f"--advertise-client-urls={address}", f"--listen-peer-urls={peers}", "--unsafe-no-fsync",
                  f"--initial-advertise-peer-urls={peers}", f"--initial-cluster=default={peers}", "--log-level=error")
        key, public = self.folder / "accounts.key", self.folder / "accounts.pub"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        subprocess.run(["openssl", "rsa", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)
        (self.folder / "tokens.csv").write_text(f"{TOKEN},admin,admin,system:masters\n")
        self._run("kube-apiserver", self.binaries / "kube-apiserver", f"--etcd-servers={address}", "--bind-address=127.0.0.1",
                  "--advertise-address=127.0.0.1", f"--secure-port={port}", f"--cert-dir={self.folder}/certificates",
                  f"--service-account-key-file={public}", f"--service-account-signing-key-file={key}",
                  "--service-account-issuer=https://kubernetes.default.svc", f"--token-auth-file={self.folder}/tokens.csv",
                  "--authorization-mode=RBAC", "--service-cluster-ip-range=10.96.0.0/16", "--endpoint-reconciler-type=none")
        url, authority = f"https://127.0.0.1:{port}", self.folder / "certificates/apiserver.crt"
        until("the API server has made its certificate", 60, authority.exists)
        self.api = Api(url, authority)
        until("the API server is ready", 60, self._answers)
        self.kubeconfig.write_text(json.dumps({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "here", "cluster": {"server": url, "insecure-skip-tls-verify": True}}],
            "users": [{"name": "admin", "user": {"token": TOKEN}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "admin"}}],
            "current-context": "here",
        }))
        self._run("kube-controller-manager", self.binaries / "kube-controller-manager", f"--kubeconfig={self.kubeconfig}",
                  f"--service-account-private-key-file={key}", f"--root-ca-file={authority}", "--leader-elect=false",
                  f"--secure-port={free_port()}", "--bind-address=127.0.0.1", f"--cert-dir={self.folder}/controllers",
                  f"--controllers={','.join(CONTROLLERS)}")

    def _answers(self):
        assert self.processes[-1].poll() is None, f"the API server ended; see {self.folder}/kube-apiserver.log"
        try:
            return self.api.get("/readyz") == "ok"
        except (OSError, Refused):
            return False

    def _run(self, name, *command):
        log = open(self.folder / f"{name}.log", "wb")
        command = [str(part) for part in command]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent)
        self.processes.append(process)

    def close(self):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
