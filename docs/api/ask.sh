# What the examples below docs/api share. Source it in bash at the root of the repository while a plane runs (npm start):
#   ask <document> [<variables as JSON>] [<more for curl>…]         as an admin, on the public listener
#   as <name> <document> [<variables as JSON>] [<more for curl>…]   as whoever has paired under that name, on the mTLS listener
#   pair <name> <one-time token>                                    makes a key, has it signed, and keeps both under that name
#   value <field>                                                   the first string of that name in the answer on its input
home=${SEXTANT_HOME:-.sextant}
work=$(mktemp -d)

setting() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" "$home/plane.json"; }
public=$(setting publicURL)
mtls=$(setting mtlsURL)
ca=$home/ca.pem

value() { grep -o "\"$1\":\"[^\"]*\"" | sed -n '1s/^[^:]*:"\(.*\)"$/\1/p'; }
json() { sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/$/\\n/' | tr -d '\n'; }
request() { printf '{"query":"%s","variables":%s}' "$(printf '%s' "$1" | json)" "${2:-{\}}"; }
post() {
  curl -sS --cacert "$ca" -H 'Content-Type: application/json' --data-binary "$(request "$2" "$3")" "${@:4}" "$1"
  echo
}

ask() { post "$public/graphql" "$1" "${2:-}" -H "Authorization: Bearer $(cat "$home/admin-token")" "${@:3}"; }
as() { post "$mtls/graphql" "$2" "${3:-}" --cert "$work/$1.pem" --key "$work/$1.key" "${@:4}"; }

pair() {
  local answer
  answer=$(post "$public/connector/graphql" \
    '{ configuration { token { token } certificateSigningRequestInfo { subject } } }' '' -H "Connector-Token: $2")
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/$1.key" -out "$work/$1.csr" \
    -subj "/$(printf '%s' "$answer" | value subject | tr , /)" 2> /dev/null
  post "$public/connector/graphql" \
    'mutation ($csr: String!) { signCertificateSigningRequest(csr: $csr) { certificateChain } }' \
    "{\"csr\":\"$(openssl base64 -A -in "$work/$1.csr")\"}" -H "Connector-Token: $(printf '%s' "$answer" | value token)" |
    value certificateChain | openssl base64 -d -A > "$work/$1.pem"
}
