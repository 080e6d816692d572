"""The interpreter's worker threads: none may end in silence and leave its execution RUNNING."""

import logging

LOG = logging.getLogger(__name__)


def _eval_pool(self, job, worker_frame) -> None:
    # moto 5.2.5 recurses once per item (1000 items end in RecursionError).
    while job is not None:
        frame = worker_frame.open_inner_frame()
        self._eval_job(env=frame, job=job)
        worker_frame.close_frame(frame)
        following = None
        if not isinstance(job.job_output, Exception) and not self.stopped():
            following = self._job_pool.next_job()
        if following is None:
            worker_frame.event_history_context.source_event_id = (
                frame.event_history_context.last_published_event_id)
            self._env.close_frame(worker_frame)
            self._job_pool.close_job(job)
            return
        self._job_pool.close_job(job)
        job = following
    self._env.close_frame(worker_frame)


def _eval(self) -> None:
    try:
        self._eval_pool(job=self._job_pool.next_job(), worker_frame=self._env.open_frame())
    except Exception as error:
        # moto 5.2.5: the Map waits for ever for a worker that died outside its item.
        LOG.exception("a Map worker crashed")
        self._job_pool._worker_exception = error
        self._job_pool._termination_event.set()


def _branch_routine(original):
    def run(self) -> None:
        try:
            original(self)
        except Exception as error:
            LOG.exception("a Parallel branch crashed")
            self.env.set_error({"error": "States.Runtime",
                                "cause": f"{type(error).__name__}: {error}"})
            self._branch_worker_comm.on_terminated(env=self.env)
    return run


def _failed_event_details(original):
    def details(self):
        # moto 5.2.5 answers None for a failure without details, which ends the thread later.
        return original(self) or {"error": "States.Runtime", "cause": "An iteration was aborted."}
    return details


def install() -> None:
    """Puts the repairs into moto's interpreter."""
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
        FailureEventException)
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.iteration_worker \
        import IterationWorker
    from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branch_worker import (
        BranchWorker)

    IterationWorker._eval_pool = _eval_pool
    IterationWorker.eval = _eval
    BranchWorker._thread_routine = _branch_routine(BranchWorker._thread_routine)
    FailureEventException.get_execution_failed_event_details = _failed_event_details(
        FailureEventException.get_execution_failed_event_details)
