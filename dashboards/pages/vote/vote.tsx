import { render } from 'preact';
import { BASE } from '../base.ts';
import { preferredLanguage, useLanguage } from '../words/language.ts';
import { VoterPage } from './voter.tsx';
import './vote.css';

const [, room = ''] = (/\/vote\/([^/]+)\/?$/.exec(location.pathname) ?? []).map(decodeURIComponent);

// Each room can be added to the home screen as a separate app.
const manifest = document.createElement('link');
manifest.rel = 'manifest';
manifest.href = `${BASE}/vote/${encodeURIComponent(room)}/manifest.webmanifest`;
document.head.append(manifest);

await useLanguage(preferredLanguage());
render(<VoterPage room={room} />, document.getElementById('page') as HTMLElement);

/** Caches the files of this page, so that it opens without a network. */
async function cacheShell(): Promise<void> {
  // Browsers offer service workers only in secure contexts (HTTPS or the same machine).
  if (!navigator.serviceWorker) return;
  await navigator.serviceWorker.register(`${BASE}/vote/worker.js`, { scope: `${BASE}/vote/` });
  const { active } = await navigator.serviceWorker.ready;
  const files = performance.getEntriesByType('resource').map(({ name }) => name);
  active?.postMessage([location.href, ...files]);
}
void cacheShell().catch(() => undefined);
