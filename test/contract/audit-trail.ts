import type { AuditFact } from '../../core/audit/trail/fact.ts';
import { TrailCheck } from '../../core/audit/trail/record.ts';
import { AuditTrail } from '../../core/audit/trail/trail.ts';
import type { ContractTest } from './subject.ts';

const fact = (target: string): AuditFact => ({
  who: 'ann',
  role: 'operator',
  action: 'poll.open',
  target,
  from: '127.0.0.1',
  outcome: 'done',
  before: '{"status":"draft"}',
  after: undefined,
});

async function reportOf(trail: AuditTrail) {
  const check = new TrailCheck();
  for await (const record of trail.all()) check.add(record);
  return check.report();
}

/** The audit trail is kept in the registry, whose promises it needs: a record is written only where there is none. */
export function auditTrailContract(test: ContractTest): void {
  test('audit trail: processes that append at the same time make one chain', async (t, { registry }) => {
    t.same(await reportOf(new AuditTrail(registry)), {
      intact: true,
      problems: [],
      records: 0,
      end: { number: 0, hash: '' },
    });
    const processes = [1, 2, 3].map(() => new AuditTrail(registry));
    const appended = await Promise.all(
      Array.from({ length: 60 }, (_, i) => (processes[i % 3] as AuditTrail).append(fact(`poll/${i}`))),
    );
    t.same(
      appended.map(({ number }) => number).sort((a, b) => a - b),
      Array.from({ length: 60 }, (_, i) => i + 1),
    );
    t.match(await reportOf(new AuditTrail(registry)), { intact: true, records: 60, end: { number: 60 } });
    const own = appended.filter((_, i) => i % 3 === 0).map(({ number }) => number);
    t.same(
      own,
      own.toSorted((a, b) => a - b),
      'what one process appends stays in order',
    );
  });

  test('audit trail: pages, newest first, and only so many records are kept', async (t, { registry }) => {
    const trail = new AuditTrail(registry, 5);
    for (let i = 1; i <= 8; i++) await trail.append(fact(`poll/${i}`));
    const first = await trail.page(undefined, 2);
    t.same(
      first.records.map(({ number, target }) => [number, target]),
      [
        [8, 'poll/8'],
        [7, 'poll/7'],
      ],
    );
    const second = await trail.page(first.next, 10);
    t.same(
      second.records.map(({ number }) => number),
      [6, 5, 4],
    );
    t.equal(second.next, undefined);
    t.same((await trail.page(4, 10)).records, []);
    t.equal((await registry.list('trail')).length, 6, 'the records, and where the end is');
    t.match((await reportOf(trail)).end, { number: 8 });
  });

  test('audit trail: it goes on after its end although the hint is lost or late', async (t, { registry }) => {
    const trail = new AuditTrail(registry);
    for (let i = 1; i <= 3; i++) await trail.append(fact(`poll/${i}`));
    await registry.remove('trail', 'end');
    t.equal((await trail.append(fact('poll/4'))).number, 4);
    const [, , second] = (await trail.page(undefined, 3)).records;
    await registry.put('trail', 'end', { number: second?.number, hash: second?.hash });
    t.equal((await trail.append(fact('poll/5'))).number, 5);
    t.match(await reportOf(trail), { intact: true, records: 5 });
  });

  test('audit trail: a changed, removed or inserted record is noticed', async (t, { registry }) => {
    const trail = new AuditTrail(registry);
    for (let i = 1; i <= 4; i++) await trail.append(fact(`poll/${i}`));
    const id = (number: number) => String(number).padStart(12, '0');
    const kept = async (number: number) => (await registry.get<object>('trail', id(number)))?.value as object;
    const [first, second, fourth] = [await kept(1), await kept(2), await kept(4)];
    await registry.put('trail', id(2), { ...second, who: 'eve' });
    t.match((await reportOf(trail)).problems, [/record 2: the hash does not match/]);
    await registry.put('trail', id(2), { ...fourth, number: 2 });
    t.notOk((await reportOf(trail)).intact);
    await registry.remove('trail', id(2));
    t.match((await reportOf(trail)).problems, [/record 3: does not follow record 1/, /another hash/]);
    await registry.put('trail', id(2), second);
    t.ok((await reportOf(trail)).intact);
    await registry.remove('trail', id(1));
    t.match((await reportOf(trail)).problems, [/records before 2 are missing/]);
    await registry.put('trail', id(1), { ...first, previous: 'x' });
    t.match((await reportOf(trail)).problems, [/record 1: the hash/, /record 1: is not the first/]);
  });
}
