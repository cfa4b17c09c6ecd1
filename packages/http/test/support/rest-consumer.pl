# A back end in Perl: the same as rest-consumer.ts, with the client that OpenAPI::Client generates from the document.
# Arguments: path of the document, base URL, key, working directory, a prompt with which the agent asks for a colour.
use strict;
use warnings;
use Mojo::IOLoop;
use OpenAPI::Client;

my ($document, $base_url, $key, $cwd, $asking) = @ARGV;
my $client = OpenAPI::Client->new("file://$document", base_url => $base_url);
$client->ua->inactivity_timeout(60);
$client->ua->on(start => sub { $_[1]->req->headers->authorization("Bearer $key") });

sub expect_status {
  my ($tx, $status) = @_;
  my $got = $tx->res->code // 'no answer';
  die sprintf("%s: %s instead of %s: %s\n", $tx->req->url, $got, $status, $tx->res->body) unless $got eq $status;
  return $tx->res->json;
}

# Follows the session until its events contain a text; returns the last id before it.
sub follow_until {
  my ($session_id, $after, $pattern) = @_;
  my $text = '';
  # Its stream stays open afterwards, and must not stop the loop of the next one.
  my $is_over = 0;
  my $stop = sub { Mojo::IOLoop->stop unless $is_over };
  my $subscription = $client->on(
    after_build_tx => sub {
      my ($self, $tx) = @_;
      return unless $tx->req->env->{operationId} eq 'followSession';
      $tx->res->content->unsubscribe('read')->on(
        read => sub {
          return if $is_over;
          $text .= $_[1];
          $stop->() if $text =~ $pattern;
        }
      );
    }
  );
  $client->followSession({sessionId => $session_id, 'Last-Event-ID' => $after}, $stop);
  Mojo::IOLoop->start;
  $is_over = 1;
  $client->unsubscribe(after_build_tx => $subscription);
  die "The events ended before $pattern: $text\n" unless $text =~ $pattern;
  my @ids = substr($text, 0, $-[0]) =~ /^id: (\S+)$/mg;
  return $ids[-1] // $after;
}

my $session = expect_status($client->createSession({}, json => {cwd => $cwd, tags => [{name => 'rest'}]}), 201);
my $id      = $session->{sessionId};

my @prompt = ({sessionId => $id, 'Idempotency-Key' => 'job-1'}, json => {text => $asking});
my $first = expect_status($client->sendMessage(@prompt), 202);
die "The key is not the id: $first->{messageId}\n" unless $first->{messageId} eq 'job-1';
expect_status($client->sendMessage(@prompt), 202);

my $after = follow_until($id, $session->{lastEventId}, qr/^event: requests$/m);
my ($request) = @{expect_status($client->listRequests({sessionId => $id}), 200)->{requests}};
die "The request is no question\n" unless $request->{method} eq 'ask_user';
my $question = $request->{params}{questions}[0];

sub answer {
  my $answer = {index => $question->{index}, question => $question->{question}, answer => shift};
  return $client->answerRequest({requestId => $request->{requestId}}, json => {answers => [$answer]});
}
expect_status(answer('red'), 204);
expect_status(answer('red'), 204);
my $problem = expect_status(answer('blue'), 409);
die "Another refusal: $problem->{code}\n" unless $problem->{code} eq 'REQUEST_NOT_PENDING';

my $receipt = expect_status($client->getReceipt({sessionId => $id, messageId => 'job-1', wait => 30}), 200);
die "The turn is $receipt->{state}: $receipt->{text}\n"
  unless $receipt->{state} eq 'completed' && $receipt->{text} =~ /red/;
follow_until($id, $after, qr/^event: result$/m);

my $page = expect_status($client->listMessages({sessionId => $id, limit => 100}), 200);
die "The prompt is not there once\n" unless 1 == grep { $_->{id} eq 'job-1' } @{$page->{messages}};
expect_status($client->renameSession({sessionId => $id}, json => {title => 'A job'}), 204);
die "The title is not there\n" unless expect_status($client->getSession({sessionId => $id}), 200)->{title} eq 'A job';
expect_status($client->archiveSession({sessionId => $id}), 204);
# A wrong call is refused before it is sent: the client checks it against the document.
expect_status($client->listSessions({limit => 'many'}), 400);
print "done\n";
