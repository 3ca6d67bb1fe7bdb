import { leadersOf, type TieBreaker } from '../../../rules/tie.ts';
import { formatWeight, ONE, type Weight } from '../../../rules/weight.ts';
import type { Election } from '../ballots.ts';
import { majoritiesOf, preferencesOf } from './matrix.ts';
import { rankedPairs } from './ranked-pairs.ts';
import { schulze } from './schulze.ts';

/** The Condorcet winner beats every other option one-on-one. If no option does, the poll’s `completion` decides. */
export function condorcet(election: Election, breaker: TieBreaker | undefined) {
  const { keys, candidates, rankings, definition } = election;
  const votes = preferencesOf(election);
  const name = (option: number) => keys[option] as string;
  const figure = (weight: Weight) => (definition.weighted ? formatWeight(weight) : Number(weight / ONE));
  const table = (cells: readonly (readonly Weight[])[]) =>
    cells.map((row, i) => row.map((cell, j) => (i === j ? null : figure(cell))));
  const majorities = majoritiesOf(candidates, votes);
  const beaten = (option: number) => majorities.filter(({ over }) => over === option).length;
  const hasBallots = rankings.length > 0;
  const champion = hasBallots ? candidates.find((option) => beaten(option) === candidates.length - 1) : undefined;
  const matrix = table(votes);
  if (champion !== undefined) {
    return { matrix, condorcetWinner: name(champion), completed: false, winners: [name(champion)] };
  }
  const leaders = (options: readonly number[]) =>
    leadersOf(hasBallots ? options.map((option) => [name(option), 1n] as const) : [], breaker);
  const found = { matrix, condorcetWinner: null, completed: true };
  if (definition.completion === 'schulze') {
    const { paths, winning } = schulze(election, votes);
    return { ...found, completion: 'schulze' as const, paths: table(paths), ...leaders(winning) };
  }
  const { locked, unbeaten } = rankedPairs(election, votes, breaker);
  return {
    ...found,
    completion: 'ranked-pairs' as const,
    locked: locked.map(({ over, under, votes }) => ({ over: name(over), under: name(under), votes: figure(votes) })),
    ...leaders(unbeaten),
  };
}
