#!/usr/bin/env bash
# Brings the whole compose stack up beside whatever runs (own project, secrets, volumes and port), checks what
# docs/operations.md promises of it, and takes it down again. Needs a Docker engine.
#   deploy/check_compose.sh [COMMAND…]
# COMMAND runs while the stack is up, with E2E_GATEWAY_URL and E2E_JWT_SECRET set, e.g. .venv/bin/python -m pytest tests/e2e
set -euo pipefail
cd "$(dirname "$0")/.."

secrets=(POSTGRES_PASSWORD CAMPAIGNS_DB_PASSWORD LEADS_DB_PASSWORD ANALYTICS_DB_PASSWORD WEBHOOKS_DB_PASSWORD RABBITMQ_PASSWORD REDIS_PASSWORD JWT_SECRET)
one_shots=' campaign-migrate lead-migrate analytics-migrate webhook-migrate '
env_file=$(mktemp)
export COMPOSE_PROJECT_NAME=voice-campaigns-check-$$
unset "${secrets[@]}" GATEWAY_PORT
for secret in "${secrets[@]}"; do echo "$secret=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"; done >"$env_file"
echo GATEWAY_PORT=0 >>"$env_file"        # the engine picks a free port

compose() { docker compose --env-file "$env_file" "$@"; }
secret() { sed -n "s/^$1=//p" "$env_file"; }
ok() { echo "ok    $*"; }
fail() { echo "FAIL  $*" >&2; exit 1; }
ours() {  # containers, networks and volumes of this project that the engine still has
    local kind
    docker ps --all --quiet --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME"
    for kind in image volume network; do
        docker "$kind" ls --quiet --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME"
    done
}
finish() {
    local status=$?
    if [ "$status" -ne 0 ]; then compose ps --all || true; compose logs --no-color --tail 30 || true; fi
    compose down --volumes --rmi local --timeout 5 >/dev/null 2>&1 || true
    rm -f "$env_file"
    exit "$status"
}
trap finish EXIT

check_secrets_are_required() {
    local secret stripped
    stripped=$(mktemp)
    for secret in "${secrets[@]}"; do
        grep -v "^$secret=" "$env_file" >"$stripped"
        if docker compose --env-file "$stripped" config --quiet 2>/dev/null; then fail "the stack starts without $secret"; fi
    done
    rm -f "$stripped"
    compose config --quiet
    ok "the file is valid and requires every secret"
}

check_container() {  # check_container SERVICE
    local facts memory cpus pids read_only dropped added privileges ports restart user expected=unless-stopped
    facts='{{with .HostConfig}}{{.Memory}} {{.NanoCpus}} {{.PidsLimit}} {{.ReadonlyRootfs}} {{json .CapDrop}} {{json .CapAdd}}'
    facts+=' {{json .SecurityOpt}} {{len .PortBindings}} {{.RestartPolicy.Name}}{{end}} {{.Config.User}}'
    read -r memory cpus pids read_only dropped added privileges ports restart user \
        < <(docker inspect --format "$facts" "$(compose ps --all --quiet "$1")")
    case $one_shots in *" $1 "*) expected=no;; esac
    if [ "$memory" = 0 ] || [ "$cpus" = 0 ] || [ "$pids" = 0 ]; then fail "$1: memory, CPU or processes are not limited"; fi
    [ "$read_only" = true ] || fail "$1: the root file system is writable"
    [ "$dropped $added" = '["ALL"] null' ] || fail "$1: keeps capabilities"
    [ "$privileges" = '["no-new-privileges:true"]' ] || fail "$1: may gain privileges"
    case $user in ''|root|root:*|0|0:*) fail "$1: runs as root";; esac
    [ "$restart" = "$expected" ] || fail "$1: restart policy is $restart, not $expected"
    [ "$ports" = "$([ "$1" = gateway ] && echo 1 || echo 0)" ] || fail "$1: publishes $ports ports"
}

check_containers() {
    local service
    for service in $(compose config --services); do check_container "$service"; done
    ok "every container is unprivileged, read-only, limited and restarted; only the gateway is published"
}

check_roles_are_isolated() {
    local role database variable answer
    for role in campaigns leads analytics webhooks; do
        variable=${role^^}_DB_PASSWORD
        for database in campaigns leads analytics webhooks postgres template1; do
            answer=$(PGPASSWORD=$(secret "$variable") compose exec -T -e PGPASSWORD postgres \
                psql --no-psqlrc --host postgres --username "$role" --dbname "$database" -tAc 'SELECT current_user' 2>&1) || true
            if [ "$role" = "$database" ]; then
                [ "$answer" = "$role" ] || fail "$role cannot use its database: $answer"
            else
                grep -q 'does not have CONNECT privilege' <<<"$answer" || fail "$role got into $database: $answer"
            fi
        done
    done
    ok "each role reaches its own database and no other"
}

check_gateway() {
    local answer
    answer=$(curl --silent --max-time 10 "$E2E_GATEWAY_URL/healthz")
    grep -q alive <<<"$answer" || fail "the gateway answers /healthz with: $answer"
    answer=$(curl --silent --max-time 10 --write-out ' %{http_code}' "$E2E_GATEWAY_URL/api/nothing")
    grep -q '"Resource not found".* 404$' <<<"$answer" || fail "an unknown path is answered with: $answer"
    for path in voice-campaigns voice-leads/company/1 voice-campaigns/company/1/stats webhooks/company/1/subscriptions; do
        answer=$(curl --silent --max-time 10 --write-out ' %{http_code}' "$E2E_GATEWAY_URL/api/$path")
        grep -q '"Authentication required".* 401$' <<<"$answer" || fail "/api/$path without a token is answered with: $answer"
    done
    ok "the gateway reaches each API, which requires a token"
    answer=$(curl --silent --max-time 10 --output /dev/null --write-out '%{http_code} %{content_type}' "$E2E_GATEWAY_URL/docs")
    [ "$answer" = '200 text/html; charset=utf-8' ] || fail "/docs is answered with: $answer"
    curl --silent --max-time 10 "$E2E_GATEWAY_URL/openapi.json" | cmp --quiet - deploy/gateway/docs/openapi.json ||
        fail "/openapi.json is not the document of this checkout"
    ok "the gateway serves the API's document and its page"
}

check_stop() {
    local service code
    compose stop >/dev/null 2>&1
    for service in $(compose config --services); do
        code=$(docker inspect --format '{{.State.ExitCode}}' "$(compose ps --all --quiet "$service")")
        # 143 is the end by SIGTERM of a process that has no more to tidy up; 137 would be the engine losing patience.
        case $code in 0|143) ;; *) fail "$service ended with $code when it was stopped";; esac
    done
    ok "every container stops on SIGTERM"
}

check_secrets_are_required
compose up --detach --build --wait --quiet-pull
ok "the stack is healthy"
check_containers
check_roles_are_isolated
E2E_GATEWAY_URL=http://$(compose port gateway 8080 | sed 's/^0\.0\.0\.0/127.0.0.1/')
E2E_JWT_SECRET=$(secret JWT_SECRET)
export E2E_GATEWAY_URL E2E_JWT_SECRET
check_gateway
if [ $# -gt 0 ]; then "$@"; fi
check_stop
compose down --volumes --rmi local >/dev/null 2>&1
[ -z "$(ours)" ] || fail "left behind: $(ours)"
ok "nothing is left behind"
