/**
 * The parts of the operator’s page to which a sign-in can return, such as `#/polls/q`, as a regular expression. As they begin with `#`,
 * no address on another site is among them.
 */
export const PAGE_PART = '^(#/[A-Za-z0-9_/.~%-]{0,200})?$';
