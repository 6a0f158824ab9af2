import { handshake } from './plugins/handshake';

export default [handshake];
