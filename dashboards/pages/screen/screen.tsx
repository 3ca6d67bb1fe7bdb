import { render } from 'preact';
import { preferredLanguage, useLanguage } from '../words/language.ts';
import { Presenter } from './presenter.tsx';
import './screen.css';

const [, , first = '', second] = location.pathname.split('/').map(decodeURIComponent);
// `/screen/room/main` is a room; `/screen/room` is the poll of that name.
const target = first === 'room' && second !== undefined ? { room: second } : { poll: first };

await useLanguage(preferredLanguage());
render(<Presenter target={target} />, document.getElementById('page') as HTMLElement);
