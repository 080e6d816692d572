"""The state machines hang together, alone and with each other."""

import json
import re

import asl
import pytest

PLACEHOLDERS = {"FunctionArnPrefix", "PhaseArnPrefix", "ResourceStateMachineArn", "ManifestLoaderArn",
                "ApprovalRequestArn", "FailureRecorderArn", "ReporterArn"}
TRANSIENT = {"Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException",
             "Lambda.TooManyRequestsException"}
TRANSIENT_START = {"StepFunctions.ThrottlingException", "StepFunctions.SdkClientException"}
# Every error that AWS itself raises begins with one of these.
ERRORS_OF_AWS = ("States.", "Lambda.", "StepFunctions.", "Sandbox.", "Runtime.")
TERMINAL = ("Succeed", "Fail")


def tasks(name: str) -> list[tuple[str, dict]]:
    return [(at, state) for at, state in asl.states(name) if state["Type"] == "Task"]


def test_these_are_all_the_machines():
    assert {path.name.removesuffix(".asl.json") for path in asl.FOLDER.iterdir()} == set(asl.NAMES)


@pytest.mark.parametrize("name", asl.NAMES)
class TestEachMachine:
    def test_it_says_what_it_is_for(self, name):
        assert len(asl.machine(name)["Comment"]) > 40

    def test_it_has_a_backstop(self, name):
        assert asl.machine(name)["TimeoutSeconds"] > 3600

    def test_it_is_in_the_jsonpath_dialect(self, name):
        assert "QueryLanguage" not in asl.text(name) and "{%" not in asl.text(name)

    def test_every_target_exists(self, name):
        for scope in asl.scopes(asl.machine(name)):
            wanted = {scope["StartAt"]} | {t for state in scope["States"].values() for t in asl.targets(state)}
            assert wanted <= scope["States"].keys()

    def test_every_state_is_reachable(self, name):
        for scope in asl.scopes(asl.machine(name)):
            assert asl.reachable(scope) == scope["States"].keys()

    def test_every_path_ends(self, name):
        for at, state in asl.states(name):
            goes_on = bool(asl.targets(state))
            assert goes_on or state.get("End") is True or state["Type"] in TERMINAL, at

    def test_state_names_are_unique_over_all_depths(self, name):
        # AWS refuses the machine otherwise (DUPLICATE_STATE_NAME); the local AWS does not.
        names = [at for at, _ in asl.states(name)]
        assert len(names) == len(set(names))
        assert all(len(at) <= 80 for at in names)

    def test_every_placeholder_is_known(self, name):
        assert set(re.findall(r"\$\{(\w+)\}", asl.text(name))) <= PLACEHOLDERS

    def test_only_known_errors_are_named(self, name):
        machine = asl.machine(name)
        named = [error for errors in asl.values(machine, "ErrorEquals") for error in errors]
        named += [value for value in asl.values(machine, "Error") if isinstance(value, str)]
        named += [value for value in asl.values(machine, "errorType") if isinstance(value, str)]
        ours = {error for error in named if error.startswith("Dr.")}
        assert ours <= asl.error_types()
        assert all(error.startswith(ERRORS_OF_AWS) for error in set(named) - ours)

    def test_errors_in_texts_are_known(self, name):
        assert set(re.findall(r"\bDr\.[A-Z]\w+", asl.text(name))) <= asl.error_types()

    def test_every_task_retries_what_passes_by_itself(self, name):
        for at, state in tasks(name):
            retried = {error for retry in state.get("Retry", []) for error in retry["ErrorEquals"]}
            wanted = TRANSIENT_START if "startExecution" in state["Resource"] else TRANSIENT
            assert wanted <= retried, at

    def test_retries_back_off_and_end(self, name):
        for at, state in tasks(name):
            for retry in state["Retry"]:
                assert retry["JitterStrategy"] == "FULL" and retry["BackoffRate"] > 1, at
                assert 1 <= retry["MaxAttempts"] <= 10, at
                assert not {"States.ALL", "States.TaskFailed", "States.Timeout"} & set(retry["ErrorEquals"]), at

    def test_every_task_catches_everything_or_is_the_one_that_explains(self, name):
        for at, state in tasks(name):
            caught = {error for catch in state.get("Catch", []) for error in catch["ErrorEquals"]}
            function = state["Parameters"].get("FunctionName", "")
            explains = function in ("${FailureRecorderArn}", "${ReporterArn}")
            assert "States.ALL" in caught or explains, at

    def test_the_raw_failure_stays_beside_the_input(self, name):
        for at, state in asl.states(name):
            assert all(catch.get("ResultPath", "$") != "$" for catch in state.get("Catch", [])), at

    def test_every_lambda_task_has_a_timeout_of_its_own(self, name):
        for at, state in tasks(name):
            if "lambda:invoke" in state["Resource"]:
                assert "TimeoutSeconds" in state or "TimeoutSecondsPath" in state, at

    def test_a_child_that_goes_on_acting_is_never_timed_out(self, name):
        for at, state in tasks(name):
            if ".sync" in state["Resource"]:
                assert not {"TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds"} & state.keys(), at

    def test_children_are_linked_to_their_parent(self, name):
        for at, state in tasks(name):
            if "startExecution" in state["Resource"]:
                assert state["Parameters"]["Input"]["AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$"] == "$$.Execution.Id", at
                assert "Name.$" in state["Parameters"], at

    def test_inline_maps_stay_below_their_limit(self, name):
        for at, state in asl.states(name):
            if state["Type"] == "Map":
                assert state["ItemProcessor"]["ProcessorConfig"] == {"Mode": "INLINE"}, at
                assert "MaxConcurrency" in state or "MaxConcurrencyPath" in state, at

    def test_it_is_formatted(self, name):
        text = asl.text(name)
        assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


def test_each_placeholder_is_used_somewhere():
    used = {word for name in asl.NAMES for word in re.findall(r"\$\{(\w+)\}", asl.text(name))}
    assert used == PLACEHOLDERS


def without_what_is_its_own(name: str) -> dict:
    text = json.dumps(asl.machine(name)).replace(name, "<phase>")
    machine = json.loads(text)
    machine["Comment"] = "<comment>"
    for scope in asl.scopes(machine):
        if "ResourceType" in scope["States"]:
            choice = scope["States"]["ResourceType"]
            targets = set(asl.targets({"Choices": choice["Choices"]}))
            assert len(targets) == 1, "every legal type goes the same way"
            choice["Choices"] = [{"Next": targets.pop()}]
    return machine


@pytest.mark.parametrize("name", asl.PHASES[1:])
def test_phases_differ_only_in_name_comment_and_legal_types(name):
    assert without_what_is_its_own(name) == without_what_is_its_own(asl.PHASES[0])


@pytest.mark.parametrize("name", asl.PHASES)
def test_legal_types_are_those_of_the_schemas(name):
    wanted = {kind for kind, schema in asl.schemas().items() if name in schema["x-dr-phases"]}
    assert asl.legal_types(name) == wanted


@pytest.mark.parametrize("name", asl.PHASES)
def test_anything_else_fails_by_name(name):
    (choice,) = [state for at, state in asl.states(name) if at == "ResourceType"]
    (refusal,) = [state for at, state in asl.states(name) if at == choice["Default"]]
    assert f"not legal in {name}" in json.dumps(refusal)


def test_a_resource_ends_only_when_its_function_says_done():
    (choice,) = [state for at, state in asl.states("resource") if at == "Done?"]
    to_success = [c for c in choice["Choices"] if c["Next"] == "Done"]
    assert to_success == [{"Variable": "$.last.status", "StringEquals": "DONE", "Next": "Done"}]
    assert choice["Default"] not in ("Done", "Wait")


def test_a_run_acts_only_after_an_approval():
    flow = asl.machine("product-orchestrator")["States"]
    before = {name for name, state in flow.items() if "App layers" in asl.targets(state)}
    assert before == {"Approved?"}
    assert flow["Approved?"]["Default"] != "App layers"
    assert [c for c in flow["Approved?"]["Choices"] if c["Next"] == "App layers"] == [
        {"Variable": "$.approval.decision", "StringEquals": "APPROVED", "Next": "App layers"}]


def test_every_end_of_a_run_is_reported():
    flow = asl.machine("product-orchestrator")["States"]
    ends = {name for name, state in flow.items() if state["Type"] in TERMINAL or state.get("End")}
    without_report = dict(asl.machine("product-orchestrator"), States={n: s for n, s in flow.items() if n != "Report"})
    assert not ends & asl.reachable(without_report)
