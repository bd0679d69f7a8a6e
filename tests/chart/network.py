"""What NetworkPolicies allow, by the words of their specification: a small evaluator, so that each edge can be asked for."""

import ipaddress
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Peer:
    """Somebody on the network: a pod with its labels and its namespace's, or an address outside of the cluster."""

    name: str
    labels: dict = field(default_factory=dict, hash=False)
    namespace: str = ""
    address: str = ""
    ports: dict = field(default_factory=dict, hash=False)


def allows(policies, source, target, port, protocol="TCP"):
    """Both ends have to allow it: what leaves one, and what comes in at the other."""
    return _direction(policies, "Egress", source, target, target, port, protocol) and _direction(
        policies, "Ingress", target, source, target, port, protocol
    )


def _direction(policies, direction, subject, other, target, port, protocol):
    mine = [
        policy
        for policy in policies
        if subject.namespace == policy["metadata"]["namespace"]
        and direction in policy["spec"]["policyTypes"]
        and _selects(policy["spec"]["podSelector"], subject.labels)
    ]
    # Who is selected by no policy is free.
    if not mine:
        return True
    key, side = ("egress", "to") if direction == "Egress" else ("ingress", "from")
    rules = [(policy, rule) for policy in mine for rule in policy["spec"].get(key, [])]
    return any(
        _is_among(rule.get(side), other, policy["metadata"]["namespace"])
        and _is_port(rule.get("ports"), target, port, protocol)
        for policy, rule in rules
    )


def _is_among(peers, other, home):
    return not peers or any(_matches(peer, other, home) for peer in peers)


def _matches(peer, other, home):
    if "ipBlock" in peer:
        if not other.address:
            return False
        address = ipaddress.ip_address(other.address)
        inside = lambda network: address in ipaddress.ip_network(network)
        return inside(peer["ipBlock"]["cidr"]) and not any(map(inside, peer["ipBlock"].get("except", [])))
    if not other.namespace:
        return False
    if "namespaceSelector" in peer:
        if not _selects(peer["namespaceSelector"], {"kubernetes.io/metadata.name": other.namespace}):
            return False
    elif other.namespace != home:
        return False
    return _selects(peer.get("podSelector", {}), other.labels)


def _is_port(ports, target, port, protocol):
    if not ports:
        return True
    for allowed in ports:
        wanted = allowed.get("port", port)
        number = target.ports.get(wanted) if isinstance(wanted, str) else wanted
        if number == port and allowed.get("protocol", "TCP") == protocol:
            return True
    return False


def _selects(selector, labels):
    assert set(selector) <= {"matchLabels"}, f"only matchLabels is understood here: {selector}"
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
