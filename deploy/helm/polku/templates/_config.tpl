{{/* The file polku.toml: what the chart decides, then what the values say. */}}
{{- define "polku.config" -}}
{{- $kafka := .Values.kafka -}}
listen = "0.0.0.0:{{ .Values.port }}"

[log]
kind = "kafka"
partitions = {{ int .Values.partitions }}
session_ms = {{ int .Values.sessionMs }}

[kafka]
bootstrap = {{ $kafka.bootstrap | quote }}
security = {{ $kafka.security | quote }}
{{- if $kafka.allowPlaintext }}
allow_plaintext = true
{{- end }}
{{- with $kafka.namespace }}
namespace = {{ . | quote }}
{{- end }}
compression = {{ $kafka.compression | quote }}
{{- if $kafka.replication }}
replication = {{ int $kafka.replication }}
{{- end }}
transaction_ms_max = {{ int $kafka.transactionMsMax }}
append_ms_max = {{ int $kafka.appendMsMax }}
{{- with $kafka.tls }}
{{- if and .existingSecret .caKey }}
ca_file = "/run/secrets/polku/kafka-tls/{{ .caKey }}"
{{- end }}
{{- if .certificateKey }}
certificate_file = "/run/secrets/polku/kafka-tls/{{ .certificateKey }}"
key_file = "/run/secrets/polku/kafka-tls/{{ .keyKey }}"
{{- end }}
{{- end }}
{{- with $kafka.sasl }}
{{- if .mechanism }}

[kafka.sasl]
mechanism = {{ .mechanism | quote }}
username = {{ .username | quote }}
password_file = "/run/secrets/polku/kafka-sasl/{{ .key }}"
{{- end }}
{{- end }}

{{- with .Values.schemaRegistry }}
{{- if .url }}

[schema_registry]
url = {{ .url | quote }}
{{- if .username }}
username = {{ .username | quote }}
password_file = "/run/secrets/polku/registry/{{ .key }}"
{{- end }}
{{- end }}
{{- end }}

[privacy]
pepper_file = "/run/secrets/polku/pepper/{{ .Values.pepper.key }}"
{{- if .Values.canary.enabled }}

[canary]
url = "http://{{ include "polku.fullname" . }}-ingest:{{ .Values.port }}"
key_file = "/run/secrets/polku/canary/{{ .Values.canary.key }}"

[sources.canary]
channel = "web"
key_sha256 = [{{ default (sha256sum .Values.canary.value) .Values.canary.keySha256 | quote }}]
{{- end }}
{{- with .Values.config }}

# From the value `config`.
{{ . | trimSuffix "\n" }}
{{- end }}
{{- end -}}

{{/* What one value alone cannot tell. */}}
{{- define "polku.check" -}}
{{- $kafka := .Values.kafka -}}
{{- if not (include "polku.secret.pepper" .) -}}
{{- fail "pepper: name a Secret in pepper.existingSecret (made with `openssl rand -hex 32` and backed up), or give pepper.value for a trial" -}}
{{- end -}}
{{- if and .Values.pepper.existingSecret .Values.pepper.value -}}
{{- fail "pepper: give either pepper.existingSecret or pepper.value" -}}
{{- end -}}
{{- if hasPrefix "sasl" $kafka.security -}}
{{- if not (and $kafka.sasl.mechanism $kafka.sasl.username (include "polku.secret.sasl" .)) -}}
{{- fail (printf "kafka.sasl: kafka.security is %s, so give mechanism, username, and existingSecret or password" $kafka.security) -}}
{{- end -}}
{{- else if $kafka.sasl.mechanism -}}
{{- fail (printf "kafka.sasl: kafka.security is %s, which knows no users; set it to sasl_ssl" $kafka.security) -}}
{{- end -}}
{{- if ne (empty $kafka.tls.certificateKey) (empty $kafka.tls.keyKey) -}}
{{- fail "kafka.tls: certificateKey and keyKey belong together; give both or none" -}}
{{- end -}}
{{- if and $kafka.tls.certificateKey (not $kafka.tls.existingSecret) -}}
{{- fail "kafka.tls: certificateKey names a key of kafka.tls.existingSecret, which is empty" -}}
{{- end -}}
{{- $longest := max $kafka.transactionMsMax $kafka.appendMsMax | int -}}
{{- range $name, $role := .Values.roles -}}
{{- if le (mul 1000 (sub $role.terminationGracePeriodSeconds $role.preStopSeconds)) $longest -}}
{{- fail (printf "roles.%s.terminationGracePeriodSeconds: %d s less preStopSeconds is no more than the %d ms that a transaction or an append may take" $name (int $role.terminationGracePeriodSeconds) $longest) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.schemaRegistry.username (not (include "polku.secret.registry" .)) -}}
{{- fail "schemaRegistry: username needs existingSecret or password" -}}
{{- end -}}
{{- with .Values.canary -}}
{{- if and .enabled (not .value) (not (and .existingSecret .keySha256)) -}}
{{- fail "canary: give existingSecret and keySha256, or value for a trial" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
{{- fail "ingress.host: name the host that the Ingress is for" -}}
{{- end -}}
{{- end -}}

{{- define "polku.publicUrl" -}}
{{- if .Values.publicUrl -}}
{{ .Values.publicUrl }}
{{- else if .Values.ingress.enabled -}}
{{ ternary "https" "http" (not (empty .Values.ingress.tlsSecret)) }}://{{ .Values.ingress.host }}
{{- end -}}
{{- end -}}
