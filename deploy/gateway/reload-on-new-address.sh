#!/bin/sh
# For /docker-entrypoint.d of the official nginx images: nginx looks a name up once, when it reads its configuration, but a container
# that was recreated may come back with another address. This waits until each API has an address, then watches in the background
# and has nginx read its configuration again when one changed. Requests under way are finished by the old workers.
set -eu

addresses() {
    for api in "$CAMPAIGN_API" "$LEAD_API" "$ANALYTICS_API" "$WEBHOOK_API"; do
        # A container that is down has no name: nothing to move to until it is back.
        address=$(getent hosts "${api%:*}") || return 1
        echo "${address%% *}"
    done
}

until known=$(addresses); do
    echo "gateway: waiting for the APIs to have an address"
    sleep 1
done

watch() {
    while sleep 2; do
        if now=$(addresses) && [ "$now" != "$known" ]; then
            echo "gateway: an API has a new address, reading the configuration again"
            # Not noted as known unless nginx took it, so that the next round tries again.
            if nginx -c "${GATEWAY_CONF:-$GATEWAY_DIR/nginx.conf}" -s reload; then known=$now; fi
        fi
    done
}
watch &
