"""Each state machine's text and its resource in the template fit together."""

import json

import cfn
import pytest

PATH = cfn.REPO / "cloudformation" / "state-machines.yaml"
MACHINES = cfn.resources(PATH, "AWS::StepFunctions::StateMachine")
NAMES = {
    "product-orchestrator": "aws-dr-orchestrator-stepfunction-product-orchestrator",
    "INSTANTIATE": "aws-dr-orchestrator-stepfunction-INSTANTIATE",
    "ACTIVATE": "aws-dr-orchestrator-stepfunction-ACTIVATE",
    "CLEANUP": "aws-dr-orchestrator-stepfunction-CLEANUP",
    "REPLICATE": "aws-dr-orchestrator-stepfunction-REPLICATE",
    "resource": "aws-dr-orchestrator-stepfunction-resource",
}
FURTHER_NAMES = {
    "ACTIVATE": "dr-orchestrator-stepfunction-FAILOVER",
    "REPLICATE": "dr-orchestrator-stepfunction-FAILBACK",
}


def file_name(body: dict) -> str:
    return cfn.text_of(body["Properties"]["DefinitionS3Location"]["Key"]).rsplit("/", 1)[1]


def test_the_machines_have_their_documented_names():
    found = {
        (file_name(body).removesuffix(".asl.json"), body["Properties"]["StateMachineName"])
        for body in MACHINES.values()
    }
    assert found == set(NAMES.items()) | set(FURTHER_NAMES.items())


def test_every_text_is_deployed():
    texts = {path.name for path in (cfn.REPO / "statemachines").glob("*.asl.json")}
    assert texts == {file_name(body) for body in MACHINES.values()}


@pytest.mark.parametrize("logical_id", sorted(MACHINES))
def test_substitutions_are_the_placeholders_of_the_text(logical_id):
    body = MACHINES[logical_id]
    text = (cfn.REPO / "statemachines" / file_name(body)).read_text()
    json.loads(text)
    assert set(body["Properties"]["DefinitionSubstitutions"]) == cfn.placeholders(text)


def test_substitutions_mean_the_same_everywhere():
    meanings: dict[str, set[str]] = {}
    for body in MACHINES.values():
        for name, value in body["Properties"]["DefinitionSubstitutions"].items():
            meanings.setdefault(name, set()).add(cfn.text_of(value))
    assert {name for name, values in meanings.items() if len(values) > 1} == set()


def test_prefixes_end_where_a_name_begins():
    substitutions = MACHINES["Activate"]["Properties"]["DefinitionSubstitutions"]
    assert cfn.text_of(substitutions["FunctionArnPrefix"]).endswith(":function:")
    assert cfn.text_of(
        MACHINES["ProductOrchestrator"]["Properties"]["DefinitionSubstitutions"]["PhaseArnPrefix"]
    ).endswith(":stateMachine:aws-dr-orchestrator-stepfunction-")


def test_the_rule_matches_every_machine():
    (rule,) = cfn.resources(
        cfn.REPO / "cloudformation" / "troubleshooting.yaml", "AWS::Events::Rule"
    ).values()
    pattern = rule["Properties"]["EventPattern"]["detail"]
    prefixes = tuple(cfn.text_of(p["prefix"]).rsplit(":", 1)[1] for p in pattern["stateMachineArn"])
    assert all(
        body["Properties"]["StateMachineName"].startswith(prefixes) for body in MACHINES.values()
    )
    assert set(pattern["status"]) == {"FAILED", "TIMED_OUT", "ABORTED"}
