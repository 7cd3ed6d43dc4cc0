"""``python -m services.import_worker``."""

from services.import_worker.app import create_app
from services.import_worker.settings import ImportWorkerSettings
from shared.service import Process

if __name__ == "__main__":
    Process(ImportWorkerSettings, create_app, "Load lead files.").run("import-worker")
