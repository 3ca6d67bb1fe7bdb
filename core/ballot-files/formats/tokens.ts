import { BallotFileError, type Place, quoted } from './ballot-file.ts';

/** The words of a line, separated by spaces, up to a comment. */
export class Tokens {
  private readonly text: string;
  private readonly line: number;
  private start = 0;
  /** The index after the last word. */
  end = 0;

  constructor(text: string, line: number) {
    this.text = text;
    this.line = line;
  }

  next(): string | undefined {
    const { text } = this;
    let start = this.end;
    while (start < text.length && isSpace(text.charCodeAt(start))) start++;
    this.start = start;
    if (start >= text.length || text[start] === '#') {
      this.end = text.length;
      return undefined;
    }
    let end = start;
    while (end < text.length && !isSpace(text.charCodeAt(end)) && text[end] !== '#') end++;
    this.end = end;
    return text.slice(start, end);
  }

  /** Moves past the next `mark`, counting from the beginning of the last word. */
  skipPast(mark: string): void {
    const found = this.text.indexOf(mark, this.start);
    if (found === -1)
      throw new BallotFileError(this.place, `the ballot’s id does not end; expected ${quoted(mark)} on the same line`);
    this.end = found + 1;
  }

  /** Where the last word begins. */
  get place(): Place {
    return { line: this.line, column: this.start + 1 };
  }
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13) || code === 0xa0;
}
