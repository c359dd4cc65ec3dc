"""What a policy was before another took its place: its text, and the plan by whose rules requests were decided then."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, insert, select

from tools.common.errors import NotFound
from tools.domain.records import Plan, Policy, Record
from tools.store.audit import Key
from tools.store.provenance import Provenances, digest, keep_records
from tools.store.rows import decoded, row_of
from tools.store.tables import PLANS, POLICIES, POLICY_VERSIONS


class PolicyVersion(Record, frozen=True, kw_only=True):
    """A policy that was replaced; `number` counts those of one policy from 1, `until` is when it was."""

    policy_id: str
    number: int
    policy: str  # SHA-256 of its JSON
    plan: str  # … and of its plan's
    until: datetime


class Versions(Provenances):
    """The part of Store that keeps them."""

    def policy_versions(self, policy_id: str) -> list[PolicyVersion]:
        """The earlier ones, the newest first."""
        table = POLICY_VERSIONS.c
        wanted = select(POLICY_VERSIONS).where(table.policy_id == policy_id).order_by(table.number.desc())
        return [decoded(PolicyVersion, row) for row in self._rows(wanted)]

    def last_version(self, plan_id: str, drug: str) -> PolicyVersion | None:
        """The newest earlier one of a plan's policy on a drug, also where no other took its place."""
        for row in self._rows(select(POLICY_VERSIONS).order_by(POLICY_VERSIONS.c.until.desc())):
            kept = decoded(PolicyVersion, row)
            policy = msgspec.json.decode(self.snapshot(kept.policy), type=Policy)
            if (policy.plan_id, policy.drug) == (plan_id, drug):
                return kept
        return None

    def policy_version(self, policy_id: str, number: int) -> tuple[Policy, Plan]:
        """An earlier one as it was, with its plan."""
        known = {one.number: one for one in self.policy_versions(policy_id)}
        if number not in known:
            raise NotFound("earlier version", f"{policy_id} {number}", map(str, known))
        kept = known[number]
        policy, plan = self.snapshot(kept.policy), self.snapshot(kept.plan)
        return msgspec.json.decode(policy, type=Policy), msgspec.json.decode(plan, type=Plan)


def keep_replaced(connection: Connection, policies: Iterable[Policy], when: datetime) -> list[Key]:
    """Keep each policy that is about to be another one, or none; the keys of the rows that were written."""
    new = {policy.id: msgspec.json.encode(policy) for policy in policies}
    there = connection.execute(select(POLICIES.c.id, POLICIES.c.plan_id, POLICIES.c.body)).all()
    plans = {row.id: row.body for row in connection.execute(select(PLANS.c.id, PLANS.c.body))}
    table, keys = POLICY_VERSIONS.c, list[Key]()
    for id, plan_id, body in there:
        if new.get(id) == body or plan_id not in plans:
            continue
        last = connection.scalar(select(func.max(table.number)).where(table.policy_id == id)) or 0
        keep_records(connection, {digest(one): one for one in (body, plans[plan_id])})
        kept = {"policy": digest(body), "plan": digest(plans[plan_id])}
        version = PolicyVersion(policy_id=id, number=last + 1, until=when, **kept)
        connection.execute(insert(POLICY_VERSIONS), row_of(version))
        keys.append((POLICY_VERSIONS, (id, last + 1)))
    return keys
