import { WITHDRAWN } from '../../core/voting/count/ballot.ts';
import { MAX_CHOICE_BYTES } from '../../core/voting/count/cast.ts';
import type { Choice } from '../../core/voting/count/tally.ts';
import { WITHDRAW } from '../../core/voting/count/vote.ts';
import { kindOf } from '../../core/voting/kinds/index.ts';
import type { Poll } from '../../core/voting/poll/poll.ts';
import { isRejection, type Rejection, reject } from '../../core/voting/rules/rejection.ts';
import type { Receipt } from '../outbound/receipts.ts';

/** Maximum number of polls, and of texts for each, that are remembered; and how long a text may be, in UTF-16 code units. */
const MAX_POLLS = 64;
const MAX_TEXTS = 1_024;
const MAX_LENGTH = 64;

/** What votes in a poll have in common. */
export interface OpenPoll {
  /** Replaced when anything about the poll changes. */
  readonly poll: Poll;
  /** What texts mean, because most voters send the same few. */
  readonly choices: Map<string, Choice | Rejection>;
  /** The receipts of most votes. */
  readonly accepted: Receipt;
  readonly recorded: Receipt;
}

/** Remembers what is the same for all votes in a poll, so that it is made once and not for each. */
export class OpenPolls {
  private readonly known = new Map<string, OpenPoll>();

  of(poll: Poll): OpenPoll {
    const { poll: id } = poll.definition;
    const known = this.known.get(id);
    if (known?.poll === poll) return known;
    if (this.known.size >= MAX_POLLS) this.known.clear();
    const receipt = { poll: id, without: undefined };
    const made = {
      poll,
      choices: new Map<string, Choice | Rejection>(),
      accepted: { ...receipt, undecided: false },
      recorded: { ...receipt, undecided: true },
    };
    this.known.set(id, made);
    return made;
  }

  /** A text as the canonical choice of a poll, or why it is not a valid one. */
  choice(text: string, poll: Poll): Choice | Rejection {
    const { choices } = this.of(poll);
    const known = choices.get(text);
    if (known !== undefined) return known;
    const choice = parse(text, poll);
    if (choices.size < MAX_TEXTS && text.length <= MAX_LENGTH) choices.set(text, choice);
    return choice;
  }
}

function parse(text: string, { definition }: Poll): Choice | Rejection {
  if (text === WITHDRAW && definition.withdraw) return WITHDRAWN;
  const choice = kindOf(definition).parse(text, definition);
  return !isRejection(choice) && isTooLong(choice) ? reject('too-long') : choice;
}

/**
 * Checks the canonical form, which may be longer than the payload. A UTF-16 code unit takes at most three bytes, so the bytes
 * of a short choice need not be counted.
 */
function isTooLong(choice: string): boolean {
  return choice.length * 3 > MAX_CHOICE_BYTES && Buffer.byteLength(choice) > MAX_CHOICE_BYTES;
}
