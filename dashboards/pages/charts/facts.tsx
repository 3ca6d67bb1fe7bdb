import { formatNumber } from '../words/language.ts';

/** Statistics below a distribution; unknown ones are left out. */
export function Facts({
  facts,
}: {
  facts: readonly (readonly [name: string, value: number | null | undefined, digits?: number])[];
}) {
  const known = facts.filter(([, value]) => value !== null && value !== undefined);
  if (known.length === 0) return null;
  return (
    <dl class="facts">
      {known.map(([name, value, digits = 2]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{formatNumber(value as number, digits)}</dd>
        </div>
      ))}
    </dl>
  );
}
