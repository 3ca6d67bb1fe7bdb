// `npm run build`: compiles everything and builds the pages.
import { prepare } from './prepare.mjs';

prepare();
