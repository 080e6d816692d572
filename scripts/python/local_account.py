"""Prepares the account of the local AWS: the buckets, and the approver's confirmation of the mails."""

import json
import os
import re
import sys
import urllib.request

import boto3

from pathlib import Path

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
PREFIX = "orchestrator-parameters-"


def buckets() -> None:
    """Makes the bucket that each Region's parameter file names, as AWS recommends it."""
    for path in sorted(SAMPLES.glob(f"{PREFIX}*.json")):
        region = path.stem.removeprefix(PREFIX)
        parameters = {p["ParameterKey"]: p["ParameterValue"] for p in json.loads(path.read_text())}
        name = parameters["TemplateStoreS3BucketName"]
        make_bucket(region, name)
        print(f"s3://{name} in {region}")


def make_bucket(region: str, name: str) -> None:
    s3 = boto3.client("s3", region_name=region)
    if name not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        place = {} if region == "us-east-1" else {
            "CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=name, **place)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    blocks = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(
        Bucket=name, PublicAccessBlockConfiguration={block: True for block in blocks})


def confirm() -> None:
    """Opens the link of every confirmation mail."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(os.environ["AWS_ENDPOINT_URL"] + "/_localaws/mail", timeout=30) as answer:
        mails = json.load(answer)["mails"]
    for mail in mails:
        link = re.search(r"http\S+ConfirmSubscription\S+", mail["body"])
        if link:
            opener.open(link.group(), timeout=30).close()
            print(f"{mail['to']} opened the link in the mail \"{mail['subject']}\" ({mail['topic']})")


if __name__ == "__main__":
    {"buckets": buckets, "confirm": confirm}[sys.argv[1]]()
