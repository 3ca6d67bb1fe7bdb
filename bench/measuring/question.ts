/** The poll whose votes are counted, as its open marker has it. */
export const QUESTION = {
  poll: 'q',
  title: 'Q',
  kind: 'single' as const,
  options: ['a', 'b', 'c'].map((key) => ({ key, label: key })),
  revote: 'last' as const,
  visibility: 'live' as const,
};
