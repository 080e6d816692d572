"""Command line: python -m localaws [--port 5000]."""

import argparse
import os

from localaws import HOST, permissions, server

HELP = """\
AWS on the local machine is ready at {endpoint}

  export AWS_ENDPOINT_URL={endpoint}
  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_REGION=us-east-1
  export AWS_DEFAULT_REGION=us-east-1
  aws sts get-caller-identity

What happened: {endpoint}/_localaws/calls   E-mails: {endpoint}/_localaws/mail
"""


def main() -> None:
    """Parses the arguments and serves until it is told to end."""
    parser = argparse.ArgumentParser(
        prog="python -m localaws",
        description="AWS on the local machine: one HTTP endpoint for all services, with Lambda "
                    "functions that really run, for tests, demos and rehearsals.")
    parser.add_argument("--port", type=int, default=5000,
                        help="the port to serve on; 0 takes a free one (default: 5000)")
    parser.add_argument("--host", default=HOST,
                        help=f"the address to serve on (default: {HOST}, this machine only)")
    parser.add_argument("--state-dir", help="keep extracted code and the functions' logs here "
                                            "(default: a temporary directory)")
    parser.add_argument("--iam", choices=permissions.MODES, default="audit",
                        help="whether the policies of roles are asked: audit only notes the answer "
                             "in the call log, enforce refuses (default: audit)")
    arguments = parser.parse_args()
    permissions.set_mode(arguments.iam)
    # Whoever starts this in a shell that points at a local AWS must not make it call itself.
    for name in [n for n in os.environ if n.startswith("AWS_ENDPOINT_URL") or n == "AWS_PROFILE"]:
        del os.environ[name]
    server.run(arguments.host, arguments.port, arguments.state_dir,
               lambda endpoint: print(HELP.format(endpoint=endpoint), flush=True))


if __name__ == "__main__":
    main()
