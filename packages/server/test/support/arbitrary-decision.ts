/** Anything that may be decided: of few people and keys, so that decisions meet each other. */
import fc from 'fast-check';
import type { Change, Decision } from '../../src/log/state/decision.js';
import { ROLES } from '../../src/log/state/permissions.js';

const role = fc.constantFrom(...ROLES);
const person = fc.constantFrom('member:1', 'member:2', 'member:3', 'account:ada', 'account:zoe');
const keys = fc.subarray(['member:1', 'account:ada', 'look:bob', 'look:eve'], { minLength: 1 });
const until = fc.option(fc.nat(40), { nil: undefined });

const arbitraryChange: fc.Arbitrary<Change> = fc.oneof(
  fc
    .tuple(person, fc.option(role, { nil: undefined }))
    .map(([who, as]): Change => ({ what: 'role', person: who, ...{ role: as && { name: who, role: as } } })),
  fc
    .record(
      { topic: fc.constantFrom('tea', 'x'), readOnly: fc.boolean(), kept: fc.constant(true as const) },
      { requiredKeys: [] },
    )
    .map((settings): Change => ({ what: 'settings', settings })),
  fc.tuple(fc.constantFrom('ban' as const, 'mute' as const), keys, until).map(
    ([kind, of, end]): Change => ({
      what: 'impose',
      sanction: { kind, target: of.join(), by: 'ada', ...(end === undefined ? {} : { until: end }) },
      keys: of,
    }),
  ),
  fc
    .tuple(fc.constantFrom('ban' as const, 'mute' as const), keys)
    .map(([kind, of]): Change => ({ what: 'pardon', kind, keys: of })),
);

export const arbitraryDecision: fc.Arbitrary<Decision> = fc
  .tuple(
    arbitraryChange,
    fc.constantFrom('role', 'topic', 'mode', 'mute', 'ban' as const),
    fc.option(person, { nil: undefined }),
    fc.boolean(),
  )
  .map(([change, action, against, isAllowed]) => ({
    action,
    by: 'ada',
    change,
    ...(against === undefined ? {} : { against }),
    ...(isAllowed ? { isAllowed: true as const } : {}),
  }));
