"""S3: conditional writes, checksums, error bodies, Regions, bucket policies."""

import base64
import json
import threading

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from localaws import s3
from localaws.tests.served import KEYS, refusal, serving

BUCKET = "artifacts"


@pytest.fixture(scope="module")
def world():
    s3.install()
    with serving() as running:
        yield running


@pytest.fixture
def bucket(world):
    world.reset()
    client = world.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


def signed(world, method, path, body=b"", **headers):
    """A request as an SDK without checksums of its own would send it."""
    request = AWSRequest(method, world.url + path, data=body,
                         headers={name.replace("_", "-"): value for name, value in headers.items()})
    keys = Credentials(KEYS["aws_access_key_id"], KEYS["aws_secret_access_key"])
    SigV4Auth(keys, "s3", "us-east-1").add_auth(request)
    return requests.request(method, world.url + path, data=body, headers=dict(request.headers),
                            timeout=10)


def test_if_none_match(bucket):
    bucket.put_object(Bucket=BUCKET, Key="k", Body=b"1", IfNoneMatch="*")
    assert refusal(bucket.put_object, Bucket=BUCKET, Key="k", Body=b"2", IfNoneMatch="*")[:2] == \
        ("PreconditionFailed", 412)
    assert bucket.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"1"


def test_if_none_match_of_an_etag_is_not_implemented(bucket):
    assert refusal(bucket.put_object, Bucket=BUCKET, Key="k", Body=b"", IfNoneMatch='"e"')[:2] == \
        ("NotImplemented", 501)


def test_if_match(bucket):
    assert refusal(bucket.put_object, Bucket=BUCKET, Key="k", Body=b"1", IfMatch='"e"')[:2] == \
        ("NoSuchKey", 404)
    tag = bucket.put_object(Bucket=BUCKET, Key="k", Body=b"1")["ETag"]
    assert tag == '"c4ca4238a0b923820dcc509a6f75849b"'
    bucket.put_object(Bucket=BUCKET, Key="k", Body=b"2", IfMatch=tag)
    assert refusal(bucket.put_object, Bucket=BUCKET, Key="k", Body=b"3", IfMatch=tag)[:2] == \
        ("PreconditionFailed", 412)


def test_a_deleted_object_in_a_versioned_bucket_does_not_exist(bucket):
    bucket.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    bucket.put_object(Bucket=BUCKET, Key="k", Body=b"1")
    bucket.delete_object(Bucket=BUCKET, Key="k")
    bucket.put_object(Bucket=BUCKET, Key="k", Body=b"2", IfNoneMatch="*")


def test_one_of_many_writers_wins(bucket, world):
    results, barrier = [], threading.Barrier(8)

    def write(number):
        client = world.client("s3")
        barrier.wait(10)
        try:
            client.put_object(Bucket=BUCKET, Key="lock", Body=b"%d" % number, IfNoneMatch="*")
            results.append("won")
        except client.exceptions.ClientError:
            results.append("lost")

    writers = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(20)
    assert sorted(results) == ["lost"] * 7 + ["won"]


# The check values of "123456789" in the catalogues of CRCs.
@pytest.mark.parametrize("name, value", [
    ("CRC32", 0xCBF43926.to_bytes(4, "big")), ("CRC32C", 0xE3069283.to_bytes(4, "big")),
    ("CRC64NVME", 0xAE8B14860A799888.to_bytes(8, "big")),
])
def test_checksums_are_computed_and_checked(bucket, world, name, value):
    header = f"x-amz-checksum-{name.lower()}"
    text = base64.b64encode(value).decode()
    good = signed(world, "PUT", f"/{BUCKET}/k", b"123456789", **{header: text})
    assert (good.status_code, good.headers[header]) == (200, text)
    bad = signed(world, "PUT", f"/{BUCKET}/k", b"another", **{header: text})
    assert bad.status_code == 400 and "<Code>BadDigest</Code>" in bad.text


def test_chunked_body_with_a_trailer(bucket, world):
    crc = base64.b64encode(0xCBF43926.to_bytes(4, "big")).decode()
    body = f"9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:{crc}\r\n\r\n".encode()
    headers = {"Content_Encoding": "aws-chunked", "x_amz_decoded_content_length": "9",
               "x_amz_trailer": "x-amz-checksum-crc32",
               "x_amz_content_sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
    assert signed(world, "PUT", f"/{BUCKET}/k", body, **headers).status_code == 200
    found = bucket.get_object(Bucket=BUCKET, Key="k", ChecksumMode="ENABLED")
    assert (found["Body"].read(), found["ChecksumCRC32"]) == (b"123456789", crc)
    assert found.get("ContentEncoding", "") == ""
    wrong = body.replace(crc.encode(), b"AAAAAA==")
    assert "BadDigest" in signed(world, "PUT", f"/{BUCKET}/k", wrong, **headers).text


def test_content_md5(bucket):
    assert refusal(bucket.put_object, Bucket=BUCKET, Key="k", Body=b"1",
                   ContentMD5="A" * 22 + "==")[:2] == ("BadDigest", 400)
    assert refusal(bucket.put_object, Bucket=BUCKET, Key="k", Body=b"1", ContentMD5="x")[0] == \
        "InvalidDigest"


def test_error_bodies(bucket, world):
    assert refusal(bucket.get_object, Bucket=BUCKET, Key="none")[:2] == ("NoSuchKey", 404)
    assert refusal(bucket.get_object, Bucket="nobodys", Key="k")[:2] == ("NoSuchBucket", 404)
    missing = signed(world, "GET", f"/{BUCKET}/none")
    assert "<Code>NoSuchKey</Code>" in missing.text and "<Key>none</Key>" in missing.text
    assert signed(world, "HEAD", f"/{BUCKET}/none").status_code == 404
    bucket.put_object(Bucket=BUCKET, Key="k", Body=b"1")
    unsigned = requests.get(f"{world.url}/{BUCKET}/k", timeout=10)
    assert unsigned.status_code == 403 and "<Code>AccessDenied</Code>" in unsigned.text


def test_copy(bucket):
    tag = bucket.put_object(Bucket=BUCKET, Key="k", Body=b"1")["ETag"]
    source = f"{BUCKET}/k"
    copied = bucket.copy_object(Bucket=BUCKET, Key="k2", CopySource=source, CopySourceIfMatch=tag)
    assert copied["CopyObjectResult"]["ETag"] == tag
    assert refusal(bucket.copy_object, Bucket=BUCKET, Key="k2", CopySource=source,
                   CopySourceIfMatch='"other"')[:2] == ("PreconditionFailed", 412)


def test_expected_owner(bucket):
    assert refusal(bucket.get_object, Bucket=BUCKET, Key="k",
                   ExpectedBucketOwner="999999999999")[:2] == ("AccessDenied", 403)


def test_another_region_is_redirected(bucket, world):
    bucket.put_object(Bucket=BUCKET, Key="k", Body=b"1")
    west = signed_west(world, f"/{BUCKET}/k")
    assert west.status_code == 301 and west.headers["x-amz-bucket-region"] == "us-east-1"
    assert "<Code>PermanentRedirect</Code>" in west.text
    # boto3 follows, as it does on AWS.
    assert world.client("s3", "us-west-2").get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"1"


def signed_west(world, path):
    request = AWSRequest("GET", world.url + path)
    keys = Credentials(KEYS["aws_access_key_id"], KEYS["aws_secret_access_key"])
    SigV4Auth(keys, "s3", "us-west-2").add_auth(request)
    return requests.get(world.url + path, headers=dict(request.headers), timeout=10,
                        allow_redirects=False)


def test_a_policy_against_plain_http_does_not_deny(bucket):
    deny_http = {"Effect": "Deny", "Principal": "*", "Action": "s3:*",
                 "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
                 "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    deny_one = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
                "Resource": f"arn:aws:s3:::{BUCKET}/secret"}
    bucket.put_object(Bucket=BUCKET, Key="secret", Body=b"1")
    policy = {"Version": "2012-10-17", "Statement": [deny_http, deny_one]}
    bucket.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    bucket.put_object(Bucket=BUCKET, Key="k", Body=b"1")
    assert bucket.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"1"
    assert refusal(bucket.get_object, Bucket=BUCKET, Key="secret")[:2] == ("AccessDenied", 403)
