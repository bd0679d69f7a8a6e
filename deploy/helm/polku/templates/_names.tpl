{{/* The beginning of every object's name. */}}
{{- define "polku.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What pods are selected by; never changes while a release lives. Takes {root, component}. */}}
{{- define "polku.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{/* The labels of every object. Takes {root, component}. */}}
{{- define "polku.labels" -}}
{{ include "polku.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: polku
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "polku.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "polku.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{ default "default" .Values.serviceAccount.name }}
{{- end -}}
{{- end -}}

{{- define "polku.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ default .Chart.AppVersion $image.tag }}
{{- end -}}
{{- end -}}

{{/* The Secret of one kind: the one that exists, or the one the chart makes; nothing when there is none.
     Takes {root, given, kind, made}. */}}
{{- define "polku.secret" -}}
{{- if .given.existingSecret -}}
{{ .given.existingSecret }}
{{- else if .made -}}
{{ include "polku.fullname" .root }}-{{ .kind }}
{{- end -}}
{{- end -}}

{{- define "polku.secret.pepper" -}}
{{ include "polku.secret" (dict "root" . "given" .Values.pepper "kind" "pepper" "made" .Values.pepper.value) }}
{{- end -}}
{{- define "polku.secret.sources" -}}
{{ include "polku.secret" (dict "root" . "given" .Values.sourceSecrets "kind" "sources" "made" .Values.sourceSecrets.values) }}
{{- end -}}
{{- define "polku.secret.subscriptions" -}}
{{ include "polku.secret" (dict "root" . "given" .Values.subscriptionSecrets "kind" "subscriptions" "made" .Values.subscriptionSecrets.values) }}
{{- end -}}
{{- define "polku.secret.sasl" -}}
{{ include "polku.secret" (dict "root" . "given" .Values.kafka.sasl "kind" "sasl" "made" .Values.kafka.sasl.password) }}
{{- end -}}
{{- define "polku.secret.canary" -}}
{{ include "polku.secret" (dict "root" . "given" .Values.canary "kind" "canary" "made" .Values.canary.value) }}
{{- end -}}
{{- define "polku.secret.registry" -}}
{{ include "polku.secret" (dict "root" . "given" .Values.schemaRegistry "kind" "registry" "made" .Values.schemaRegistry.password) }}
{{- end -}}
