import type { KindName } from '../../../core/voting/kinds/definition.ts';
import type { Stage } from '../../support/stage.ts';

const options = (...labels: string[]) => labels.map((label, i) => ({ key: 'abcdefghij'[i] as string, label }));
const LUNCH = options('Soup of the day', 'A large salad with bread, cheese and olives', 'Both');
const CITIES = options('Memphis', 'Nashville', 'Chattanooga', 'Knoxville');

/** The settings of a poll and the votes cast in it. */
export interface Picture {
  readonly settings: object;
  readonly votes: readonly string[];
}

const times = (n: number, choice: string): string[] => Array.from({ length: n }, () => choice);

/** The textbook example, scaled down: four groups of voters in Tennessee rank cities by distance. */
const TENNESSEE = [...times(11, 'a>b>c>d'), ...times(7, 'b>c>d>a'), ...times(4, 'c>d>b>a'), ...times(5, 'd>c>b>a')];

/** At least one poll of every kind, by name. */
export const GALLERY: Readonly<Record<string, Picture>> = {
  single: { settings: { title: 'What do we eat?', options: LUNCH }, votes: [...'aabbbbbcca'] },
  motion: {
    settings: {
      kind: 'motion',
      options: [],
      title: 'Shall the accounts of last year be approved?',
      majority: 'two-thirds',
    },
    votes: ['yes', 'yes', 'yes', 'yes', 'yes', 'no', 'abstain'],
  },
  multiple: {
    settings: { kind: 'multiple', title: 'Which of these have you tried?', options: LUNCH },
    votes: ['a', 'a,b', 'a,b,c', 'c'],
  },
  rating: {
    settings: { kind: 'rating', options: [], title: 'How likely are you to recommend us?', min: 0, max: 10 },
    votes: ['9', '10', '8', '7', '3', '9', '10', '6', '9'],
  },
  items: {
    settings: {
      kind: 'rating',
      options: [],
      title: 'How was it?',
      items: options('Food', 'Music', 'The way home in the rain'),
    },
    votes: ['a:5,b:3,c:1', 'a:4,b:4,c:2', 'a:5,b:2', 'a:3,b:5,c:1'],
  },
  numeric: {
    settings: {
      kind: 'numeric',
      options: [],
      title: 'How many lights hang above you?',
      min: 0,
      max: 500,
      answer: 240,
      tolerance: 10,
      unit: 'lights',
    },
    votes: ['120', '240', '245', '300', '180', '90', '400', '233', '251', '260'],
  },
  points: {
    settings: { kind: 'points', title: 'What is the money for?', options: LUNCH, budget: 10 },
    votes: ['a:10', 'a:3,b:7', 'b:5,c:5'],
  },
  irv: {
    settings: { kind: 'ranking', title: 'Where should the capital be?', options: CITIES, method: 'irv' },
    votes: TENNESSEE,
  },
  stv: {
    settings: { kind: 'ranking', title: 'Two cities for the games', options: CITIES, method: 'stv', seats: 2 },
    votes: TENNESSEE,
  },
  borda: {
    settings: { kind: 'ranking', title: 'Where is it nicest?', options: CITIES, method: 'borda' },
    votes: TENNESSEE,
  },
  condorcet: {
    settings: { kind: 'ranking', title: 'Who beats whom?', options: CITIES, method: 'condorcet' },
    votes: TENNESSEE,
  },
  star: {
    settings: { kind: 'score', title: 'Which band plays again?', options: LUNCH, method: 'star' },
    votes: ['a:5,b:4', 'a:0,b:4,c:3', 'a:5,b:3,c:1', 'b:5,c:4'],
  },
  quiz: {
    settings: { kind: 'quiz', title: 'Which of these is a vegetable?', options: LUNCH, correct: ['b'] },
    votes: ['b', 'b', 'a', 'c', 'b'],
  },
  short: {
    settings: {
      kind: 'quiz',
      question: 'short',
      options: [],
      title: 'What is the capital of Tennessee?',
      accept: ['Nashville'],
    },
    votes: ['Nashville', 'nashville', 'Memphis', 'Knoxville'],
  },
  text: {
    settings: { kind: 'text', options: [], title: 'The show in one word' },
    votes: ['great', 'great,long', 'loud', 'great,loud', 'wonderful', 'a little long', 'great', 'moving'],
  },
  pulse: {
    settings: {
      kind: 'pulse',
      title: 'How is it going?',
      options: options('😀 Good', '😐 So so', '☹ Badly'),
      windowMs: 600_000,
    },
    votes: [...'aabac'],
  },
  many: {
    settings: {
      title:
        'Which city next? A long question that goes on for a while so that it has to be broken into several lines on a phone',
      options: options(
        ...CITIES.map(({ label }) => label),
        'Jackson',
        'Clarksville',
        'Murfreesboro',
        'Franklin',
        'Johnson City',
        'Bartlett',
      ),
    },
    votes: [...'aabbbcdefghij'],
  },
  hidden: { settings: { title: 'Figures come later', visibility: 'closed', options: LUNCH }, votes: [...'ab'] },
};

/** Opens a poll of the gallery, under its own or another id, and casts its votes. */
export async function exhibit(s: Stage, name: string, poll = name, more: object = {}): Promise<void> {
  const { settings, votes } = GALLERY[name] as Picture;
  await s.openPoll(poll, { ...settings, ...more });
  const devices = await Promise.all(votes.map((_, i) => s.device(`${poll}-${i}`)));
  await Promise.all(votes.map((choice, i) => devices[i]?.vote(`vote/${poll}`, choice)));
  await s.resultAfter(poll, votes.length);
  await Promise.all(devices.map(({ client }) => client.endAsync(true)));
}

/** The kinds of the gallery's polls with these names, sorted and without duplicates. */
export function kindsIn(names: readonly string[]): string[] {
  const kinds = names.map(
    (name) => (GALLERY[name]?.settings as { readonly kind?: KindName } | undefined)?.kind ?? 'single',
  );
  return [...new Set(kinds)].sort();
}
