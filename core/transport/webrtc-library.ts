/**
 * The half of @libp2p/webrtc that is used. It is a file of its own, because a bundler can't drop the other half when
 * webrtc.ts loads the library at a moment of its own choice.
 */
export { webRTC } from "@libp2p/webrtc";
