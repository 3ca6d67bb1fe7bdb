import { render } from 'preact';
import { preferredLanguage, useLanguage } from '../words/language.ts';
import { Presenter } from './presenter.tsx';
import './screen.css';

// `/screen/room/main` is a room; `/screen/room` is the poll of that name.
const [, inRoom, name = ''] = /\/screen\/(room\/)?([^/]+)\/?$/.exec(location.pathname) ?? [];
const target = inRoom ? { room: decodeURIComponent(name) } : { poll: decodeURIComponent(name) };

await useLanguage(preferredLanguage());
render(<Presenter target={target} />, document.getElementById('page') as HTMLElement);
