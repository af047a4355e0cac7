import assert from 'node:assert/strict';
import test from 'node:test';
import { observed } from '#kubelet/fixtures.ts';
import type { Observed } from '#kubelet/observed.ts';
import { type Action, type Desired, planPod } from '#kubelet/plan.ts';

/** One row of the table: what is desired and observed, and what the plan must be. */
export interface Case {
  readonly name: string;
  readonly desired: Desired;
  readonly observed: Partial<Observed>;
  readonly now?: number;
  readonly want: readonly string[];
  readonly wakeAt?: number;
  readonly cancel?: readonly string[];
}
function show(action: Action): string {
  switch (action.kind) {
    case 'create-container':
      return `create-container ${action.container.name}#${action.attempt}`;
    case 'remove-container':
      return `remove-container ${action.id}`;
    case 'stop-container':
      return action.final ? `stop-container by ${action.deadlineAt}` : 'stop-container';
    case 'run-pre-stop':
      return `run-pre-stop ${action.id}`;
    case 'clean-up':
      return `clean-up ${action.logs}`;
    default:
      return action.kind;
  }
}

export function checkPlans(cases: readonly Case[]): void {
  for (const c of cases) {
    test(`planPod: ${c.name}`, () => {
      const plan = planPod(c.desired, observed(c.observed), c.now ?? 0);
      assert.deepEqual(plan.actions.map(show), c.want);
      if (c.want.length === 0) assert.equal(plan.wakeAt, c.wakeAt);
      assert.deepEqual(plan.cancel, c.cancel ?? []);
    });
  }
}
