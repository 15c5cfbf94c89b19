"""The practice org as a process: up, down, killed, and up again with everything that was committed."""

import os
import signal
import time

import pytest
import requests

from rehearse.practice import control
from rehearse.practice.estate import Estate
from rehearse.practice.process import is_running, process_start


@pytest.fixture
def folder(estate_folder):
    yield estate_folder
    control.down(estate_folder)


def ask(status, folder, path, method="GET", **options):
    with_ca = str(folder / "tls" / "ca.pem")
    estate = Estate.open(folder)
    try:
        client = estate.tokens.add_client("UATFULL", "")
    finally:
        estate.close()
    form = {"grant_type": "client_credentials", "client_id": client.client_id, "client_secret": client.client_secret}
    answer = requests.post(status.url + "/services/oauth2/token", data=form, verify=with_ca, timeout=20)
    token = answer.json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
    full = f"{status.url}/services/data/v67.0/{path}"
    return requests.request(method, full, headers=headers, verify=with_ca, timeout=20, **options)


def test_up_answers_down_is_gone_and_both_may_be_repeated(folder):
    assert control.status(folder).running is False
    first = control.up(folder)
    assert first.running and control.up(folder) == first
    assert ask(first, folder, "jobs/query").status_code == 200
    started = process_start(first.pid)
    assert control.down(folder) is True
    assert not is_running(first.pid, started)
    assert control.down(folder) is False
    again = control.up(folder)
    assert (again.url, again.http_url) == (first.url, first.http_url), "a workspace names these addresses"


def test_killed_in_the_middle_of_a_job_it_finishes_the_job_once(folder):
    status = control.up(folder)
    job = ask(status, folder, "jobs/ingest", "POST", json={"object": "Account", "operation": "insert"}).json()["id"]
    count = 6_000
    text = "Name\n" + "".join(f"Crash {number:05d}\n" for number in range(count))
    headers = {"Content-Type": "text/csv"}
    assert ask(status, folder, f"jobs/ingest/{job}/batches", "PUT", data=text, headers=headers).status_code == 201
    ask(status, folder, f"jobs/ingest/{job}", "PATCH", json={"state": "UploadComplete"})
    while not 0 < ask(status, folder, f"jobs/ingest/{job}").json()["numberRecordsProcessed"] < count:
        time.sleep(0.005)
    os.kill(status.pid, signal.SIGKILL)
    while is_running(status.pid, process_start(status.pid)):
        time.sleep(0.01)
    assert control.status(folder).running is False
    status = control.up(folder)
    while ask(status, folder, f"jobs/ingest/{job}").json()["state"] != "JobComplete":
        time.sleep(0.05)
    info = ask(status, folder, f"jobs/ingest/{job}").json()
    assert (info["numberRecordsProcessed"], info["numberRecordsFailed"]) == (count, 0)
    control.down(folder)
    estate = Estate.open(folder)
    try:
        org = estate.sandbox("UATFULL")
        rows = org.db.execute('SELECT count(*), count(DISTINCT "Name") FROM "Account" WHERE "Name" LIKE \'Crash %\'')
        assert rows.fetchall() == [(count, count)]
    finally:
        estate.close()


def test_a_folder_without_a_world_is_refused(tmp_path):
    with pytest.raises(control.ControlError):
        control.up(tmp_path)


def test_a_taken_port_is_refused_by_name(folder, practice):
    taken = int(practice.http_url.rpartition(":")[2])
    with pytest.raises(control.ControlError, match=str(taken)):
        control.up(folder, http_port=taken)


def test_a_recycled_process_id_is_left_alone(folder):
    control.up(folder)
    control.down(folder)
    noted = (folder / "server.json").read_text().replace('"pid": ', '"was": ')
    (folder / "server.json").write_text(noted.replace("{", f'{{"pid": {os.getpid()}, ', 1))
    assert control.status(folder).running is False
    assert control.down(folder) is False


def test_what_production_received_is_read_from_the_folder(folder):
    status = control.up(folder)
    estate = Estate.open(folder)
    try:
        client = estate.tokens.add_client(None, "")
    finally:
        estate.close()
    form = {"grant_type": "client_credentials", "client_id": client.client_id, "client_secret": client.client_secret}
    requests.post(status.http_url + "/services/oauth2/token", data=form, timeout=20)
    control.down(folder)
    log = control.production_requests(folder)
    assert [(one.method, one.path, one.status) for one in log] == [("POST", "/services/oauth2/token", 200)]
