"""``python -m services.import_worker``."""

from services.import_worker.app import create_app
from services.import_worker.settings import ImportWorkerSettings
from shared.commands import run_process

if __name__ == "__main__":
    run_process(ImportWorkerSettings, create_app, process="import-worker")
