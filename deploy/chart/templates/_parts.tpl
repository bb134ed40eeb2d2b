{{/* Names, and what all containers have in common. */}}
{{- define "quorum.name" -}}
{{ .Release.Name | trunc 45 | trimSuffix "-" }}
{{- end }}

{{- define "quorum.selector" -}}
app.kubernetes.io/name: quorum-center
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "quorum.labels" -}}
{{ include "quorum.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "quorum.container" -}}
{{- with .Values.image }}
{{- if .digest }}
image: {{ printf "%s@%s" .repository .digest | quote }}
{{- else }}
image: {{ printf "%s:%s" .repository .tag | quote }}
{{- end }}
imagePullPolicy: {{ .pullPolicy }}
{{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: ["ALL"]}
{{- end }}

{{/* enableServiceLinks: variables that Kubernetes makes up from names of Services could be taken
for settings. fsGroupChangePolicy: the key is for its owner alone, and must stay so. */}}
{{- define "quorum.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: 30
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Settings as exchange, runner and commands see them. */}}
{{- define "quorum.settings" -}}
- {name: QUORUM_HOME, value: /var/lib/quorum-center}
- {name: QUORUM_EXCHANGE__URL, value: {{ printf "https://%s" .Values.host | quote }}}
- {name: QUORUM_EXCHANGE__FROM_HERE, value: "http://127.0.0.1:8470"}
- {name: QUORUM_EXCHANGE__LISTEN, value: "0.0.0.0:8470"}
- {name: QUORUM_PREFECT__LISTEN, value: {{ printf "%s-prefect:4200" (include "quorum.name" .) | quote }}}
{{- range $name, $value := .Values.settings }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}

{{/* What flows/environment.py sets: quiet, offline, on our own server. */}}
{{- define "quorum.prefect" -}}
- {name: DO_NOT_TRACK, value: "1"}
- {name: PREFECT_SERVER_ANALYTICS_ENABLED, value: "false"}
- {name: PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS, value: "false"}
- {name: PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT, value: "false"}
- {name: PREFECT_SERVER_EPHEMERAL_ENABLED, value: "false"}
- {name: PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE, value: prefect.server.concurrency.lease_storage.filesystem}
- {name: PREFECT_LOGGING_LEVEL, value: INFO}
- {name: PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS, value: "10"}
- {name: PREFECT_CLI_PROMPT, value: "false"}
- {name: PREFECT_HOME, value: /var/lib/quorum-center/prefect}
- {name: PREFECT_PROFILES_PATH, value: /var/lib/quorum-center/prefect/profiles.toml}
- {name: PREFECT_LOCAL_STORAGE_PATH, value: /var/lib/quorum-center/prefect/storage}
- {name: PREFECT_API_URL, value: {{ printf "http://%s-prefect:4200/api" (include "quorum.name" .) | quote }}}
- {name: PREFECT_FLOWS_HEARTBEAT_FREQUENCY, value: "30"}
# The browser comes through kubectl port-forward.
- {name: PREFECT_SERVER_UI_API_URL, value: "http://127.0.0.1:4200/api"}
{{- end }}
