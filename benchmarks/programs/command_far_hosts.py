"""The same table on the same machines by pulumi-command: copied, indexed and read by Postfix; nothing is checked."""

import json
import os
from pathlib import Path

import pulumi
from pulumi_command import remote

table = os.environ["TABLE"]

for number, place in enumerate(json.loads(os.environ["HOSTS"])):
    host, path = f"mx-{number:05d}", place["path"]
    connection = remote.ConnectionArgs(
        host="127.0.0.1",
        user="root",
        port=place["port"],
        host_key=place["host_key"],
        private_key=Path(place["identity_file"]).read_text(),
    )
    copy = remote.CopyToRemote(
        f"{host}-table", connection=connection, source=pulumi.StringAsset(table), remote_path=f"{path}/by_command"
    )
    remote.Command(
        f"{host}-reload",
        connection=connection,
        create=f"PATH=$PATH:/usr/sbin; postmap -c {path} hash:{path}/by_command && postfix -c {path} reload",
        # The other way to have it run again, `update`, needs an input that changes as well.
        triggers=[table],
        opts=pulumi.ResourceOptions(depends_on=[copy]),
    )
