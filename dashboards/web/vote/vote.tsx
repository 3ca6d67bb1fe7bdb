import { render } from 'preact';
import { preferredLanguage, useLanguage } from '../words/language.ts';
import { Voter } from './voter.tsx';
import './vote.css';

const [, , room = ''] = location.pathname.split('/').map(decodeURIComponent);

// Each room is an app of its own when it is put on the home screen.
const manifest = document.createElement('link');
manifest.rel = 'manifest';
manifest.href = `/vote/${encodeURIComponent(room)}/manifest.webmanifest`;
document.head.append(manifest);

await useLanguage(preferredLanguage());
render(<Voter room={room} />, document.getElementById('page') as HTMLElement);

/** Keeps what the page is made of on the phone, so that it opens without a network. */
async function keepShell(): Promise<void> {
  // Only over a safe line (HTTPS or this machine): browsers offer it nowhere else.
  if (!navigator.serviceWorker) return;
  await navigator.serviceWorker.register('/vote/worker.js', { scope: '/vote/' });
  const { active } = await navigator.serviceWorker.ready;
  const files = performance.getEntriesByType('resource').map(({ name }) => name);
  active?.postMessage([location.href, ...files]);
}
void keepShell().catch(() => undefined);
