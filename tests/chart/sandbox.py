"""A container's process without a container engine: its command, user, environment and mounts from the pod's own spec, on a root
that cannot be written, without any capability, as process 1 of its own.

The root holds the host's /usr, read-only, in the place of an image; nothing else of the host is seen but loopback.
"""

import base64
import json
import os
import pathlib
import signal
import subprocess

from cluster import die_with_parent

# Where the directory with the binary is mounted: in the place of the image's path.
BINARIES = "/opt/polku"
PATH = f"{BINARIES}:/usr/local/bin:/usr/bin:/bin"


def write_volumes(spec, folder, lookup):
    """Writes what a pod's volumes hold; volume name -> directory. `lookup(kind, name)` gives ConfigMaps and Secrets."""
    volumes = {}
    for volume in spec.get("volumes", []):
        name = volume["name"]
        directory = pathlib.Path(folder) / "volumes" / name
        directory.mkdir(parents=True)
        if "configMap" in volume:
            source = volume["configMap"]
            files = {key: text.encode() for key, text in lookup("configmaps", source["name"])["data"].items()}
        elif "secret" in volume:
            source = volume["secret"]
            files = secret_data(lookup("secrets", source["secretName"]))
        else:
            assert set(volume) & {"emptyDir", "persistentVolumeClaim"}, f"a volume of another kind: {volume}"
            source, files = {}, {}
        for key, data in files.items():
            file = directory / key
            file.write_bytes(data)
            file.chmod(source.get("defaultMode", 0o644))
        volumes[name] = directory
    return volumes


def secret_data(secret):
    data = {key: base64.b64decode(value) for key, value in secret.get("data", {}).items()}
    return data | {key: value.encode() for key, value in secret.get("stringData", {}).items()}


def environment(container, lookup):
    """What the spec says the process's environment is."""
    values = {"PATH": PATH}
    for source in container.get("envFrom", []):
        if "secretRef" in source:
            data = secret_data(lookup("secrets", source["secretRef"]["name"]))
            values |= {key: value.decode() for key, value in data.items()}
        else:
            values |= lookup("configmaps", source["configMapRef"]["name"])["data"]
    for one in container.get("env", []):
        if "value" in one:
            values[one["name"]] = one["value"]
        elif "secretKeyRef" in one["valueFrom"]:
            reference = one["valueFrom"]["secretKeyRef"]
            values[one["name"]] = secret_data(lookup("secrets", reference["name"]))[reference["key"]].decode()
        else:
            reference = one["valueFrom"]["configMapKeyRef"]
            values[one["name"]] = lookup("configmaps", reference["name"])["data"][reference["key"]]
    return values


class Sandbox:
    """One running container."""

    def __init__(self, spec, container, volumes, values, binaries, hosts, log, command=None):
        context = spec["securityContext"] | container.get("securityContext", {})
        assert context["readOnlyRootFilesystem"] and context["runAsNonRoot"] and context["capabilities"] == {"drop": ["ALL"]}
        arguments = ["bwrap", "--unshare-user", "--unshare-pid", "--as-pid-1", "--unshare-ipc", "--unshare-cgroup-try",
                     "--uid", context["runAsUser"], "--gid", context["runAsGroup"], "--cap-drop", "ALL", "--die-with-parent",
                     "--new-session", "--clearenv", "--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev"]
        for link in ("bin", "lib", "lib64"):
            arguments += ["--symlink", f"usr/{link}", f"/{link}"]
        if os.path.exists("/etc/ssl"):
            arguments += ["--ro-bind", "/etc/ssl", "/etc/ssl"]
        arguments += ["--ro-bind", hosts, "/etc/hosts", "--ro-bind", binaries, BINARIES]
        for mount in container.get("volumeMounts", []):
            how = "--ro-bind" if mount.get("readOnly") else "--bind"
            arguments += [how, volumes[mount["name"]], mount["mountPath"]]
        for name, value in values.items():
            arguments += ["--setenv", name, value]
        told, tell = os.pipe()
        arguments += ["--remount-ro", "/", "--info-fd", tell, "--", *(command or container["command"])]
        self.process = subprocess.Popen([str(part) for part in arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        pass_fds=[tell], preexec_fn=die_with_parent)
        os.close(tell)
        with os.fdopen(told) as info:
            text = info.read()
        # Without the number there was no process: bwrap says why in the log.
        self.pid = json.loads(text)["child-pid"] if text else None

    def exit_code(self):
        """None while it runs."""
        return self.process.poll()

    def signal(self, number):
        if self.exit_code() is None and self.pid:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                pass

    def stop(self, grace_seconds):
        """Asks it to end, and makes it after the grace; whether asking was enough."""
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(grace_seconds)
            return True
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self.process.kill()
            self.process.wait()
            return False
