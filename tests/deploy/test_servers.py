"""The private servers: what the services' roles may do, and that each server comes back with what it had."""

import asyncpg
import pytest
from redis import Redis

from deploy.local.postgres import DATABASES
from deploy.local.servers import Servers
from tests.fixtures.servers import ServerUrls


@pytest.mark.parametrize("role", DATABASES)
@pytest.mark.parametrize("database", [*DATABASES, "postgres", "template1"])
async def test_a_role_can_connect_to_its_own_database_alone(local_servers: Servers, role: str, database: str) -> None:
    url = local_servers.postgres.database_url(role).rsplit("/", 1)[0] + f"/{database}"
    if role == database:
        connection = await asyncpg.connect(url)
        await connection.execute("CREATE TABLE proof (id int); DROP TABLE proof")
        await connection.close()
    else:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for database"):
            await asyncpg.connect(url)


async def test_a_wrong_password_is_refused(local_servers: Servers) -> None:
    url = local_servers.postgres.database_url("leads").replace(local_servers.state.secret("leads"), "wrong")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(url)


async def test_making_the_databases_again_changes_nothing(local_servers: Servers) -> None:
    local_servers.postgres.create_databases()
    connection = await asyncpg.connect(local_servers.postgres.url)
    names = await connection.fetch("SELECT datname FROM pg_database WHERE datname = ANY($1)", list(DATABASES))
    await connection.close()
    assert len(names) == len(DATABASES)


async def test_commits_survive_a_crash_of_postgresql(servers: ServerUrls) -> None:
    if servers.local is None:
        pytest.skip("the servers run in containers: there is no process to kill")
    url = await servers.create_database("crash")
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SHOW fsync") == "on"
    await connection.execute("CREATE TABLE stored AS SELECT 1 AS id")
    servers.local.postgres.kill()
    await connection.close(timeout=1)
    servers.local.postgres.start()
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT id FROM stored") == 1
    await connection.close()
    await servers.drop_database(url)


def test_redis_requires_its_password_and_its_data_survives_a_restart(local_servers: Servers) -> None:
    with Redis.from_url(local_servers.redis.url) as client:
        client.set("stored", "yes")
    local_servers.redis.stop()
    local_servers.redis.start()
    with Redis.from_url(local_servers.redis.url) as client:
        assert client.getdel("stored") == b"yes"
