/** The name by which a connection asks to become a link (RFC 9110, 7.8): the end of it says which form the frames have. */
export const LINK_PROTOCOL = "sextant-link-2";
/** Calls of one link that can be open at a time: their ids are below it. */
export const MOST_IDS = 65_536;
