import type { Result } from '../../../core/voting/result/result.ts';
import { sayIfKnown } from '../words/language.ts';

/** The status shown with a result: `final` only if its figures are shown, otherwise that of its poll. */
export function statusOf(result: Pick<Result, 'final' | 'status'>, isShown: boolean): string {
  return result.final && isShown ? 'final' : result.status;
}

/** A status in words. */
export const statusText = (status: string): string => sayIfKnown(`status.${status}`) ?? status;

/** The status of a poll or of its result. */
export function Status({ status }: { status: string }) {
  return (
    <span class="status" data-status={status}>
      {statusText(status)}
    </span>
  );
}
