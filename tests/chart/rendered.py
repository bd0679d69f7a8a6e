"""What the chart renders, for each file of values that it comes with: valid, locked down, and open only where it says so.

Usage: rendered.py TOOLS, the folder that `deploy/dev/setup chart` prints.
"""

import json
import pathlib
import re
import subprocess
import sys
import warnings

import kubernetes_validate
import yaml

import readme
from claims import Claims
from network import Peer, allows

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/polku"
NAMESPACE = "customer-experience"
# The oldest that the chart is for, and the newest that the schemas know.
VERSIONS = ["1.30", "1.34", "1.37"]
ROLES = ["ingest", "serve", "notify", "unify", "alert"]
MACHINES = ["unify", "alert"]


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, (done.stdout + done.stderr).strip()
    return done.stdout


class Rendered:
    """The manifests of one file of values."""

    def __init__(self, helm, values):
        self.values = yaml.safe_load((CHART / "values.yaml").read_text())
        merge(self.values, yaml.safe_load(values.read_text()))
        text = run(helm, "template", "shop", CHART, "--namespace", NAMESPACE, "--values", values)
        self.manifests = [manifest for manifest in yaml.safe_load_all(text) if manifest]
        for manifest in self.manifests:
            manifest["metadata"].setdefault("namespace", NAMESPACE)

    def kind(self, kind):
        return {one["metadata"]["name"]: one for one in self.manifests if one["kind"] == kind}

    def pods(self):
        """Every pod there can be: component -> its metadata and spec."""
        found = {}
        for one in self.manifests:
            template = one if one["kind"] == "Pod" else one.get("spec", {}).get("template")
            if template and "containers" in template.get("spec", {}):
                found[template["metadata"]["labels"]["app.kubernetes.io/component"]] = template
        return found


def merge(under, over):
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(under.get(key), dict):
            merge(under[key], value)
        else:
            under[key] = value


def containers(pod):
    return pod["spec"].get("initContainers", []) + pod["spec"]["containers"]


def every_manifest_is_valid(rendered):
    warnings.simplefilter("ignore")
    customs = 0
    for manifest in rendered.manifests:
        name = f"{manifest['kind']} {manifest['metadata']['name']}"
        if manifest["apiVersion"].startswith("monitoring.coreos.com/"):
            customs += 1
            continue
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(manifest, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                raise AssertionError(f"{name} for {version}: {error.message} at {list(error.path)}")
    asked = [rendered.values[key]["enabled"] for key in ("serviceMonitor", "prometheusRule")]
    assert customs == sum(asked), f"{customs} objects of Prometheus Operator, {sum(asked)} were asked for"


def every_role_runs_as_it_should(rendered):
    pods = rendered.pods()
    assert set(pods) == {*ROLES, "apply", "test"}, sorted(pods)
    for name in ROLES:
        kind = "StatefulSet" if name in MACHINES else "Deployment"
        workload = rendered.kind(kind)[f"shop-polku-{name}"]
        scaled = name == "ingest" and rendered.values["autoscaling"]["enabled"]
        assert ("replicas" in workload["spec"]) != scaled, f"{name}: either the chart or the autoscaler counts the pods"
        (container,) = pods[name]["spec"]["containers"]
        assert container["command"] == ["polku", "--config", "/etc/polku/config/polku.toml", name]
        paths = {probe: container[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
        assert paths == {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}, paths
        assert container["resources"]["requests"] and "memory" in container["resources"]["limits"]
        grace = pods[name]["spec"]["terminationGracePeriodSeconds"]
        slept = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        assert (grace - slept) * 1000 > rendered.values["kafka"]["transactionMsMax"], f"{name} is killed in a transaction"
        assert pods[name]["spec"]["topologySpreadConstraints"], name
        assert f"shop-polku-{name}" in rendered.kind("PodDisruptionBudget")


def every_pod_is_locked_down(rendered):
    """The restricted level, and more: no file of the image can be changed, and no pod speaks with the cluster."""
    for component, pod in rendered.pods().items():
        spec = pod["spec"]
        context = spec["securityContext"]
        assert context["runAsNonRoot"] is True and context["runAsUser"] > 0 and context["runAsGroup"] > 0, component
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, component
        assert spec["automountServiceAccountToken"] is False, component
        for key in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
            assert not spec.get(key), f"{component}: {key}"
        for volume in spec.get("volumes", []):
            assert "hostPath" not in volume, f"{component}: {volume['name']}"
            if "secret" in volume:
                assert volume["secret"]["defaultMode"] & 0o007 == 0, f"{component}: everybody may read {volume['name']}"
        for container in containers(pod):
            name = f"{component}/{container['name']}"
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False, name
            assert context["readOnlyRootFilesystem"] is True, name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert not context.get("privileged") and "runAsUser" not in context, name
            assert container["resources"]["requests"] and container["resources"]["limits"], name
    for account in rendered.kind("ServiceAccount").values():
        assert account["automountServiceAccountToken"] is False
    for kind in ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"):
        assert not rendered.kind(kind), "Polku needs nothing of the cluster's API"


def secrets_go_only_where_they_are_needed(rendered):
    mounted = {
        component: {volume["name"] for volume in pod["spec"].get("volumes", []) if "secret" in volume}
        for component, pod in rendered.pods().items()
    }
    own = {"ingest": {"sources"}, "notify": {"subscriptions"}, "serve": {"canary"}}
    for component, secrets in mounted.items():
        allowed = {"pepper", "kafka-sasl", "kafka-tls", "registry"} if component != "test" else set()
        assert secrets <= allowed | own.get(component, set()), f"{component} sees {secrets}"
    config = rendered.kind("ConfigMap")["shop-polku-config"]["data"]["polku.toml"]
    given = [rendered.values["pepper"]["value"], rendered.values["kafka"]["sasl"]["password"], rendered.values["canary"]["value"]]
    given.append(rendered.values["schemaRegistry"]["password"])
    given += rendered.values["sourceSecrets"]["values"].values()
    for secret in filter(None, given):
        assert secret not in config, "a secret stands in the ConfigMap"


def labels_say_what_belongs_together(rendered):
    for manifest in rendered.manifests:
        labels = manifest["metadata"]["labels"]
        wanted = {f"app.kubernetes.io/{key}" for key in ("name", "instance", "version", "part-of", "managed-by")}
        assert wanted | {"helm.sh/chart"} <= set(labels), manifest["metadata"]["name"]
    for kind in ("Deployment", "StatefulSet"):
        for workload in rendered.kind(kind).values():
            selector = workload["spec"]["selector"]["matchLabels"]
            assert set(selector) == {f"app.kubernetes.io/{key}" for key in ("name", "instance", "component")}
            assert selector.items() <= workload["spec"]["template"]["metadata"]["labels"].items()
    for service in rendered.kind("Service").values():
        component = service["spec"]["selector"]["app.kubernetes.io/component"]
        assert service["spec"]["selector"].items() <= rendered.pods()[component]["metadata"]["labels"].items()


def only_the_named_edges_are_open(rendered):
    """Every pair of parties at every port that matters, against the table of what is meant."""
    policies = list(rendered.kind("NetworkPolicy").values())
    deny = rendered.kind("NetworkPolicy")["shop-polku-deny"]["spec"]
    assert deny["policyTypes"] == ["Ingress", "Egress"] and set(deny) == {"policyTypes", "podSelector"}, deny
    for pod in rendered.pods().values():
        assert deny["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    port = rendered.values["port"]
    kafka_ports = [int(broker.rsplit(":", 1)[1]) for broker in rendered.values["kafka"]["bootstrap"].split(",")]
    ours = {
        component: Peer(component, pod["metadata"]["labels"], NAMESPACE, "10.1.0.9", {"http": port})
        for component, pod in rendered.pods().items()
    }
    others = {
        "dns": Peer("dns", {"k8s-app": "kube-dns"}, "kube-system", "10.1.0.2"),
        "kafka": Peer("kafka", {"app": "kafka"}, "kafka", "10.1.0.3"),
        "prometheus": Peer("prometheus", {"app": "prometheus"}, "monitoring", "10.1.0.4"),
        "neighbour": Peer("neighbour", {"app": "shop"}, NAMESPACE, "10.1.0.5"),
        "controller": Peer("controller", {"app": "ingress"}, "ingress-nginx", "10.1.0.6"),
        "registry": Peer("registry", {"app": "registry"}, "registry", "10.1.0.7"),
        "stranger": Peer("stranger", {"app": "other"}, "other", "10.1.0.8"),
        "endpoint": Peer("endpoint", address="93.184.216.34"),
        "endpoint6": Peer("endpoint6", address="2a00:1450::200e"),
        "private": Peer("private", address="10.9.9.9"),
        "private6": Peer("private6", address="fd00::9"),
        "metadata": Peer("metadata", address="169.254.169.254"),
    }
    full = bool(rendered.values["networkPolicy"]["kafka"])
    clients = {"controller"} if full else {"neighbour"}
    meant = set()
    for component in ours:
        meant |= {(component, "dns", 53, "TCP"), (component, "dns", 53, "UDP"), ("prometheus", component, port, "TCP")}
        for kafka_port in kafka_ports:
            # By default the brokers may be anywhere, so that their ports are open to all who are outside this release.
            reached = {"kafka"} if full else set(others) - {"neighbour"}
            meant |= {(component, other, kafka_port, "TCP") for other in reached}
            if not full:
                meant.add((component, "neighbour", kafka_port, "TCP"))
        if full:
            meant |= {(component, "registry", 8081, "TCP"), (component, "stranger", 22, "TCP")}
    for door in ("ingest", "serve"):
        meant |= {(client, door, port, "TCP") for client in clients} | {("test", door, port, "TCP")}
    meant |= {("notify", "endpoint", 443, "TCP"), ("notify", "endpoint6", 443, "TCP")}
    if rendered.values["canary"]["enabled"]:
        meant.add(("serve", "ingest", port, "TCP"))

    open_edges = set()
    for source in [*ours.values(), *others.values()]:
        for target in [*ours.values(), *others.values()]:
            if source is target or not (source.name in ours or target.name in ours):
                continue
            for number in {port, 22, 53, 80, 443, 8081, *kafka_ports}:
                for protocol in ("TCP", "UDP"):
                    if allows(policies, source, target, number, protocol):
                        open_edges.add((source.name, target.name, number, protocol))
    assert open_edges == meant, f"open and not meant: {sorted(open_edges - meant)}; meant and shut: {sorted(meant - open_edges)}"


def monitoring_finds_what_there_is(rendered):
    monitors = rendered.kind("ServiceMonitor").values()
    assert len(monitors) == rendered.values["serviceMonitor"]["enabled"]
    for monitor in monitors:
        selector = monitor["spec"]["selector"]["matchLabels"].items()
        chosen = [one for one in rendered.kind("Service").values() if selector <= one["metadata"]["labels"].items()]
        components = {one["spec"]["selector"]["app.kubernetes.io/component"] for one in chosen}
        assert components == set(ROLES), components
        for endpoint in monitor["spec"]["endpoints"]:
            for service in chosen:
                assert endpoint["port"] in [port["name"] for port in service["spec"]["ports"]]
    rules = yaml.safe_load((ROOT / "deploy/prometheus/rules.yaml").read_text())
    for rule in rendered.kind("PrometheusRule").values():
        assert rule["spec"] == rules, "the chart's alerts are those of deploy/prometheus; copy the file anew"


def an_ingress_leads_to_pages_and_not_to_metrics(rendered):
    ingresses = rendered.kind("Ingress").values()
    assert len(ingresses) == rendered.values["ingress"]["enabled"]
    for ingress in ingresses:
        services = rendered.kind("Service")
        for path in ingress["spec"]["rules"][0]["http"]["paths"]:
            assert path["backend"]["service"]["name"] in services
            assert path["pathType"] == "Prefix" and path["path"] != "/" or path["path"] == "/" and path["pathType"] == "Exact"
            assert not path["path"].startswith(("/metrics", "/livez", "/readyz"))


def routes(*folders):
    """The paths that the code answers, by their first part."""
    found = set()
    for folder in folders:
        for file in (ROOT / "crates").glob(f"{folder}/src/**/*.rs"):
            if "tests" not in file.parts:
                found |= set(re.findall(r"""\.route\(\s*"(/[a-z.-]*)""", file.read_text()))
    return found


def an_ingress_leads_to_every_page():
    values = yaml.safe_load((CHART / "values.yaml").read_text())["ingress"]
    pages = routes("serve") - {"/"}
    assert len(pages) > 8 and pages <= set(values["servePaths"]), pages - set(values["servePaths"])
    forms = routes("ingest-*")
    assert forms and forms <= set(values["ingestPaths"]), forms - set(values["ingestPaths"])


def changed_values_replace_the_pods(helm, values):
    """A change of what pods are told changes their templates; one of the company only makes another Job."""
    def templates(*more):
        text = run(helm, "template", "shop", CHART, "--values", values, *more)
        manifests = [one for one in yaml.safe_load_all(text) if one]
        pods = {one["metadata"]["name"]: one["spec"]["template"] for one in manifests if one["kind"] in ("Deployment", "StatefulSet")}
        jobs = [one["metadata"]["name"] for one in manifests if one["kind"] == "Job"]
        return pods, jobs

    pods, jobs = templates()
    assert templates() == (pods, jobs), "nothing changed and something did"
    other_pods, other_jobs = templates("--set", "sessionMs=12345")
    assert jobs != other_jobs and all(pods[name] != other_pods[name] for name in pods)
    other_pods, other_jobs = templates("--set", "company=name = 'Other'")
    assert jobs != other_jobs and pods == other_pods


# What is wrong with the values -> what helm says.
REFUSED = {
    ("image.tga=1",): "additional properties 'tga' not allowed",
    ("roles.ingest.replica=1",): "additional properties 'replica' not allowed",
    ("roles.notify.replicas=2",): "maximum",
    ("kafka.bootstrap=kafka",): "pattern",
    ("pepper.value=abc",): "pattern",
    ("pepper.value=",): "name a Secret in pepper.existingSecret",
    ("kafka.security=sasl_ssl",): "kafka.sasl: kafka.security is sasl_ssl",
    ("kafka.sasl.mechanism=PLAIN",): "which knows no users",
    ("kafka.transactionMsMax=60000",): "terminationGracePeriodSeconds",
    ("ingress.enabled=true",): "ingress.host",
    ("canary.enabled=true",): "canary: give",
    ("partitions=0",): "minimum",
}


def what_is_wrong_with_the_values_is_said(helm):
    for settings, said in REFUSED.items():
        arguments = [part for setting in settings for part in ("--set", setting)]
        command = [helm, "template", "shop", CHART, "--values", CHART / "ci/minimal-values.yaml", *arguments]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        assert done.returncode != 0 and said in done.stderr, f"{settings}: {done.stderr.strip()}"


def leaves(values, path=""):
    """The fields of values.yaml that hold something: dotted names."""
    for key, value in values.items():
        name = f"{path}{key}"
        if isinstance(value, dict) and value and not name.endswith(("SecurityContext", "resources")):
            yield from leaves(value, f"{name}.")
        else:
            yield name


def every_value_is_described():
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    told = {name for _, parameters in readme.described() for name, _ in parameters}
    # All roles take the fields that are told of the first.
    wanted = {name for name in leaves(values) if not re.match(r"roles\.(?!ingest)", name)} | {f"roles.{role}" for role in ROLES}
    assert told == wanted, f"values.yaml does not describe, or describes in vain: {sorted(told ^ wanted)}"
    assert readme.with_table(readme.readme()) == readme.readme(), "the README's table is old; run tests/chart/readme.py"


def the_compose_file_is_valid(tools):
    import jsonschema

    schema = json.loads((tools / "compose-spec.json").read_text())
    compose = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
    jsonschema.validate(compose, schema)
    services = compose["services"]
    for name, service in services.items():
        for other in service.get("depends_on", {}):
            assert other in services, f"{name} depends on {other}, which is not there"
        for config in service.get("configs", []):
            assert config["source"] in compose["configs"], f"{name}: {config}"
        for volume in service.get("volumes", []):
            source = volume.split(":")[0] if isinstance(volume, str) else volume["source"]
            if source.startswith("."):
                assert (ROOT / "deploy" / source).exists(), f"{name}: {source} is not there"
            else:
                assert source in compose["volumes"], f"{name}: {source}"
    for config in compose["configs"].values():
        assert "content" in config or (ROOT / "deploy" / config["file"]).exists(), config


def the_dockerfile_is_clean(tools):
    run(tools / "venv/bin/hadolint", ROOT / "deploy/docker/Dockerfile")


def main():
    tools = pathlib.Path(sys.argv[1])
    helm = tools / "helm"
    claims = Claims()
    files = sorted((CHART / "ci").glob("*-values.yaml"))
    assert len(files) == 3, files
    for values in files:
        name = values.name.removesuffix("-values.yaml")
        claims.check(f"{name}: helm lint finds nothing", run, helm, "lint", "--strict", "--quiet", CHART, "--values", values)
        rendered = claims.check(f"{name}: helm renders it", Rendered, helm, values)
        if not rendered:
            continue
        for claim in (
            every_manifest_is_valid,
            every_role_runs_as_it_should,
            every_pod_is_locked_down,
            secrets_go_only_where_they_are_needed,
            labels_say_what_belongs_together,
            only_the_named_edges_are_open,
            monitoring_finds_what_there_is,
            an_ingress_leads_to_pages_and_not_to_metrics,
        ):
            claims.check(f"{name}: {claim.__name__.replace('_', ' ')}", claim, rendered)
        claims.check(f"{name}: changed values replace the pods", changed_values_replace_the_pods, helm, values)
    claims.check("what is wrong with the values is said", what_is_wrong_with_the_values_is_said, helm)
    claims.check("an ingress leads to every page", an_ingress_leads_to_every_page)
    claims.check("every value is described", every_value_is_described)
    claims.check("the compose file is valid", the_compose_file_is_valid, tools)
    claims.check("the dockerfile is clean", the_dockerfile_is_clean, tools)
    claims.close()


if __name__ == "__main__":
    main()
