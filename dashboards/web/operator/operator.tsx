import { render } from 'preact';
import { preferredLanguage } from '../words/language.ts';
import { Desk } from './desk.tsx';
import { useOperatorLanguage } from './words.ts';
import './operator.css';

await useOperatorLanguage(preferredLanguage());
render(<Desk />, document.getElementById('page') as HTMLElement);
