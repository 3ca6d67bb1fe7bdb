import { BASE } from '../../base.ts';
import { useDesk } from '../context.ts';
import { tell } from '../words.ts';

/** The HTML that shows a poll’s result on another site. */
export function Embed({ poll }: { poll: string }) {
  const { deployment } = useDesk();
  const base = deployment.publicUrl ?? `${location.origin}${BASE}`;
  const snippet = `<script type="module" src="${base}/web/pollcast-result.js"></script>\n<pollcast-result poll="${poll}"></pollcast-result>`;
  return (
    <details class="panel">
      <summary>{tell('embed')}</summary>
      <p class="hint">{tell('embed.about')}</p>
      <textarea
        readOnly
        rows={3}
        value={snippet}
        aria-label={tell('embed')}
        onFocus={({ currentTarget }) => currentTarget.select()}
      />
    </details>
  );
}
