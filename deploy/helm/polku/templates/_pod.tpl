{{/* What every pod has. Takes {root, component}. */}}
{{- define "polku.pod.base" -}}
serviceAccountName: {{ include "polku.serviceAccount" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
securityContext:
  {{- toYaml .root.Values.podSecurityContext | nindent 2 }}
{{- end -}}

{{/* What every container has: image, security, environment and mounts. Takes {root, secrets, env, envFrom, mounts}. */}}
{{- define "polku.container.base" -}}
{{- $root := .root -}}
image: {{ include "polku.image" $root }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
securityContext:
  {{- toYaml $root.Values.containerSecurityContext | nindent 2 }}
env:
  - name: POLKU_LOG
    value: {{ $root.Values.logLevel | quote }}
  {{- with include "polku.publicUrl" $root }}
  - name: POLKU__SERVE__PUBLIC_URL
    value: {{ . | quote }}
  {{- end }}
  {{- with .env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .envFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumeMounts:
  - name: config
    mountPath: /etc/polku/config
    readOnly: true
  {{- range $name := .secrets }}
  - name: {{ $name }}
    mountPath: /run/secrets/polku/{{ $name }}
    readOnly: true
  {{- end }}
  {{- with .mounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* The volumes of the configuration and of these secrets. Takes {root, secrets}. */}}
{{- define "polku.volumes" -}}
{{- $root := .root -}}
- name: config
  configMap:
    name: {{ include "polku.fullname" $root }}-config
{{- range $name := .secrets }}
- name: {{ $name }}
  secret:
    secretName: {{ include (printf "polku.mounted.%s" $name) $root }}
    # Its owner and the pod's group; check-config refuses what everybody may read.
    defaultMode: 0440
{{- end }}
{{- end -}}

{{- define "polku.mounted.pepper" -}}{{ include "polku.secret.pepper" . }}{{- end -}}
{{- define "polku.mounted.kafka-sasl" -}}{{ include "polku.secret.sasl" . }}{{- end -}}
{{- define "polku.mounted.kafka-tls" -}}{{ .Values.kafka.tls.existingSecret }}{{- end -}}
{{- define "polku.mounted.sources" -}}{{ include "polku.secret.sources" . }}{{- end -}}
{{- define "polku.mounted.subscriptions" -}}{{ include "polku.secret.subscriptions" . }}{{- end -}}
{{- define "polku.mounted.registry" -}}{{ include "polku.secret.registry" . }}{{- end -}}
{{- define "polku.mounted.canary" -}}{{ include "polku.secret.canary" . }}{{- end -}}

{{/* Which secrets a component sees, as a list: everybody those of pepper, log and registry, of the others only who needs them. Takes
     {root, component}. */}}
{{- define "polku.secrets" -}}
{{- $names := list "pepper" -}}
{{- if .root.Values.kafka.sasl.mechanism }}{{ $names = append $names "kafka-sasl" }}{{ end -}}
{{- if .root.Values.kafka.tls.existingSecret }}{{ $names = append $names "kafka-tls" }}{{ end -}}
{{- if and .root.Values.schemaRegistry.url .root.Values.schemaRegistry.username }}{{ $names = append $names "registry" }}{{ end -}}
{{- if and (eq .component "ingest") (include "polku.secret.sources" .root) }}{{ $names = append $names "sources" }}{{ end -}}
{{- if and (eq .component "notify") (include "polku.secret.subscriptions" .root) }}{{ $names = append $names "subscriptions" }}{{ end -}}
{{- if and (eq .component "serve") .root.Values.canary.enabled }}{{ $names = append $names "canary" }}{{ end -}}
{{- toYaml $names -}}
{{- end -}}

{{/* The pods of a role. Takes {root, component, role}. */}}
{{- define "polku.pod" -}}
{{- $root := .root -}}
{{- $role := .role -}}
{{- $secrets := fromYamlArray (include "polku.secrets" .) -}}
metadata:
  labels:
    {{- include "polku.labels" . | nindent 4 }}
  annotations:
    # Pods are replaced when what they were told changes.
    checksum/config: {{ include "polku.config" $root | sha256sum }}
    checksum/secrets: {{ include "polku.secrets.given" $root | sha256sum }}
    {{- with $role.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- include "polku.pod.base" . | nindent 2 }}
  terminationGracePeriodSeconds: {{ $role.terminationGracePeriodSeconds }}
  # The topics are made by the Job that comes with this release; until then there is nothing to work on.
  initContainers:
    - name: topics
      command: [polku, --config, /etc/polku/config/polku.toml, topics, wait]
      {{- include "polku.container.base" (dict "root" $root "secrets" $secrets "env" $role.env "envFrom" $role.envFrom) | nindent 6 }}
      resources:
        {{- toYaml $role.resources | nindent 8 }}
  containers:
    - name: {{ .component }}
      command: [polku, --config, /etc/polku/config/polku.toml, {{ .component }}]
      {{- include "polku.container.base" (dict "root" $root "secrets" $secrets "env" $role.env "envFrom" $role.envFrom "mounts" $role.volumeMounts) | nindent 6 }}
      ports:
        - name: http
          containerPort: {{ $root.Values.port }}
      # The process answers at all: it has reached the log once, and its port is its own.
      startupProbe:
        httpGet: {path: /livez, port: http}
        periodSeconds: 2
        failureThreshold: 60
      # Its loops go round. Says nothing of Kafka: a restart does not mend a broker.
      livenessProbe:
        httpGet: {path: /livez, port: http}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      # Its state is restored and its partitions are held, or the read model has caught up, however long that takes.
      readinessProbe:
        httpGet: {path: /readyz, port: http}
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 2
      {{- if $role.preStopSeconds }}
      lifecycle:
        preStop:
          sleep: {seconds: {{ $role.preStopSeconds }}}
      {{- end }}
      resources:
        {{- toYaml $role.resources | nindent 8 }}
  volumes:
    {{- include "polku.volumes" (dict "root" $root "secrets" $secrets) | nindent 4 }}
    {{- with $role.volumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  topologySpreadConstraints:
    {{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ $key }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "polku.selector" $ | nindent 10 }}
    {{- end }}
  {{- with $role.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $role.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $role.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* The secrets given as values, to be told when they change. */}}
{{- define "polku.secrets.given" -}}
{{ list .Values.pepper.value .Values.sourceSecrets.values .Values.subscriptionSecrets.values .Values.canary.value .Values.kafka.sasl.password .Values.schemaRegistry.password | toJson }}
{{- end -}}
